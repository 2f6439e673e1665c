"""The style and the common elements of all figures."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

import matplotlib.style
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

Values = npt.NDArray[np.float64]

# Okabe and Ito's palette, which the colour-blind can tell apart.
COLOURS: Mapping[str, str] = {
    "exact": "#000000",
    "gan": "#D55E00",
    "gan, saturating": "#CC79A7",
    "wgan": "#0072B2",
    "wgan-gp": "#009E73",
}
STYLE: Mapping[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#9A9A9A",
    "axes.grid": True,
    "axes.labelsize": 9.5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "font.size": 9.5,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.7,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "savefig.dpi": 150,
}


def as_png(draw: Callable[[], Figure], style: Mapping[str, Any] | None = None) -> bytes:
    """The figure that `draw` makes; equal figures give equal bytes, whatever the user's matplotlibrc says.

    Args:
        style: On top of `STYLE`.
    """
    file = BytesIO()
    with matplotlib.style.context(["default", dict(STYLE), dict(style or {})]):
        draw().savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


class PlainLogFormatter(LogFormatter):
    """Labels a logarithmic axis as in "0.001".

    Matplotlib's own labels are mathematical text, for which it looks up fonts that may be missing.
    """

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of a tick; empty for ticks that have none."""
        return self.fix_minus(f"{x:g}") if super().__call__(x, pos) else ""


def label_plainly(*axes: Axis) -> None:
    """Labels logarithmic axes without mathematical text."""
    for axis in axes:
        axis.set_major_formatter(PlainLogFormatter())
        axis.set_minor_formatter(PlainLogFormatter())


def dots_over_seeds(axes: Axes, x: Sequence[float], values: Sequence[Sequence[float]], name: str) -> None:
    """The mean over seeds at each x as a dot, with a bar from the lowest to the highest seed.

    For values that jump between neighbours; see `line_over_seeds` for the arguments.
    """
    rows, colour = np.asarray(values, dtype=float), COLOURS[name]
    axes.vlines(x, rows.min(axis=0), rows.max(axis=0), color=colour, alpha=0.5, linewidth=1.4)
    axes.plot(x, rows.mean(axis=0), "o", color=colour, label=name, markersize=4.5)


def line_over_seeds(
    axes: Axes, x: Sequence[float], values: Sequence[Sequence[float]] | Values, name: str, title: str = ""
) -> None:
    """The mean over seeds along x, in a band from the lowest to the highest seed.

    Args:
        values: (seeds, positions).
        name: Of the objective, which decides the colour.
        title: For the legend; the name if empty.
    """
    rows, colour = np.asarray(values, dtype=float), COLOURS[name]
    axes.fill_between(x, rows.min(axis=0), rows.max(axis=0), color=colour, alpha=0.15, linewidth=0)
    axes.plot(x, rows.mean(axis=0), "o-", color=colour, label=title or name, markersize=4, linewidth=1.4)
