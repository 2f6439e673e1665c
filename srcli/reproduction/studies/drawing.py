"""How the figures of all studies look, and how they are written."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib.style
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from srcli.storage.atomic import atomic_file

Values = npt.NDArray[np.float64]

# Okabe and Ito's palette, told apart by all kinds of eyes.
COLOURS: Mapping[str, str] = {
    "exact": "#000000",
    "gan": "#D55E00",
    "gan, saturating": "#CC79A7",
    "wgan": "#0072B2",
    "wgan-gp": "#009E73",
}
STYLE = {
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


def save(path: Path, draw: Callable[[], Figure]) -> None:
    """Writes what `draw` draws as a PNG; the user's own matplotlibrc does not change it."""
    with matplotlib.style.context(["default", STYLE]), atomic_file(path) as file:
        draw().savefig(file, format="png", metadata={"Software": None})


def dots_over_seeds(
    axes: Axes, x: Sequence[float], values: Sequence[Sequence[float]], name: str, title: str = ""
) -> None:
    """As `line_over_seeds`, for what may jump between positions: dots, with bars to the extreme seeds."""
    rows, colour = np.asarray(values, dtype=float), COLOURS[name]
    axes.vlines(x, rows.min(axis=0), rows.max(axis=0), color=colour, alpha=0.5, linewidth=1.4)
    axes.plot(x, rows.mean(axis=0), "o", color=colour, label=title or name, markersize=4.5)


def line_over_seeds(
    axes: Axes, x: Sequence[float], values: Sequence[Sequence[float]] | Values, name: str, title: str = ""
) -> None:
    """The mean of `values` (a row a seed) along x, in a band from the lowest to the highest seed.

    Args:
        axes: Where to draw.
        x: Positions.
        values: (seeds, positions).
        name: Of the objective, which has its colour.
        title: For the legend; the name if empty.
    """
    rows, colour = np.asarray(values, dtype=float), COLOURS[name]
    axes.fill_between(x, rows.min(axis=0), rows.max(axis=0), color=colour, alpha=0.15, linewidth=0)
    axes.plot(x, rows.mean(axis=0), "o-", color=colour, label=title or name, markersize=4, linewidth=1.4)
