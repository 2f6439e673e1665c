"""The curves of runs as a picture: three panels, one line a run, the logged values faint behind."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from srcli.console import printable
from srcli.curves.read import QUANTITIES, Curves, Line, visible_range
from srcli.storage.atomic import write_bytes

# Okabe and Ito's palette without its yellow, which is hard to see on white; told apart by all kinds of eyes.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_STROKES = ("-", "--", ":", "-.")

_INK, _FAINT_INK = "#333333", "#E3E3E3"
_STYLE = {
    "axes.edgecolor": "#9A9A9A",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": _INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlecolor": _INK,
    "axes.titlepad": 9,
    "figure.facecolor": "white",
    "font.size": 9.5,
    "grid.color": _FAINT_INK,
    "grid.linewidth": 0.7,
    "legend.fontsize": 9.5,
    "legend.title_fontsize": 8.5,
    "legend.frameon": False,
    "legend.labelcolor": _INK,
    "savefig.dpi": 160,
    "svg.hashsalt": "srcli",  # the same curves give the same file
    "xtick.color": "#666666",
    "ytick.color": "#666666",
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
}
_UNDATED = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def write_picture(path: Path, curves: Sequence[Curves], window: int) -> None:
    """Writes a .png, .svg or .pdf; equal curves give equal bytes.

    Args:
        window: Of the moving average, in generator steps, for the caption.
    """
    write_bytes(path, _encoded(curves, window, QUANTITIES, path.suffix.lower()))


def panels_as_png(curves: Sequence[Curves], window: int) -> dict[str, bytes]:
    """A PNG file of each quantity that any of the runs logged, by its title."""
    logged = {key: title for key, title in QUANTITIES.items() if any(key in run.lines for run in curves)}
    return {title: _encoded(curves, window, {key: title}, ".png") for key, title in logged.items()}


def _encoded(curves: Sequence[Curves], window: int, quantities: Mapping[str, str], ending: str) -> bytes:
    file = BytesIO()
    # The user's own matplotlibrc must not change the figure.
    with matplotlib.style.context(["default", _STYLE]):
        figure = draw_curves(curves, window, quantities)
        figure.savefig(file, format=ending[1:], metadata=_UNDATED[ending])
    return file.getvalue()


def draw_curves(curves: Sequence[Curves], window: int, quantities: Mapping[str, str] = QUANTITIES) -> Figure:
    """Figure 2 of the paper for any runs: L1, critic loss and generator loss against generator steps."""
    count = len(quantities)
    figure = Figure(figsize=(4 * count, 4.2), layout="constrained")
    panels = figure.subplots(1, count, squeeze=False)[0]
    for panel, (key, title) in zip(panels, quantities.items(), strict=True):
        lines = {index: run.lines[key] for index, run in enumerate(curves) if key in run.lines}
        panel.set_title(title)
        if lines:
            _draw_lines(panel, lines)
        else:
            panel.set_axis_off()
            where = {"transform": panel.transAxes, "va": "top"}
            panel.text(0, 0.97, "not logged by these runs", color="#777777", **where)
    caption = f"mean of the last {window:,} steps; faint behind, the values as logged"
    handles = [
        Line2D([], [], linewidth=2, label=printable(run.run), **_stroke(i)) for i, run in enumerate(curves)
    ]
    columns = min(len(curves), 4, max(1, 50 * count // max(len(run.run) + 12 for run in curves)))
    legend = figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=2.6)
    legend.set_title("values as logged" if window == 1 else caption)
    legend.get_title().set_color("#777777")
    for text in legend.get_texts():
        text.set_parse_math(False)  # names of folders are not formulas
    return figure


def _draw_lines(panel: Axes, lines: Mapping[int, Line]) -> None:
    for index, line in lines.items():
        # Rasterized, since a hundred thousand noisy points would make a vector file slow to open.
        colour = _stroke(index)["color"]
        panel.plot(line.steps, line.raw, color=colour, alpha=0.2, linewidth=0.7, rasterized=True)
    for index, line in lines.items():
        dot = "o" if len(line.steps) == 1 else ""
        panel.plot(line.steps, line.smoothed, linewidth=1.4, marker=dot, **_stroke(index))
    panel.set_xlabel("generator steps")
    panel.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
    panel.xaxis.set_major_formatter(FuncFormatter(_step_name))
    panel.margins(x=0.02)
    low, high = visible_range([series for line in lines.values() for series in (line.raw, line.smoothed)])
    panel.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))


def _stroke(index: int) -> dict[str, Any]:
    """Colour and dashes of the run at an index; the colours come again with other dashes."""
    dashes = _STROKES[index // len(_COLOURS) % len(_STROKES)]
    return {"color": _COLOURS[index % len(_COLOURS)], "linestyle": dashes}


def _step_name(step: float, _position: int | None) -> str:
    return f"{step / 1000:g}k" if step >= 1000 else f"{step:g}"
