"""The figures of a report: pictures with captions, and curves of runs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from srcli.curves.read import moving_average, visible_range
from srcli.reproduction.records import RunRecord
from srcli.reproduction.studies.drawing import COLOURS, as_png
from srcli.reproduction.wording import TITLES

WINDOW = 20
"""Over how many steps curves are smoothed."""

WIDTH = 4.2
"""Of a small chart, in inches, so that its text is legible on a phone."""

_CHART_STYLE = {
    "font.size": 9.5,
    "legend.fontsize": 8.5,
    "legend.handlelength": 1.8,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}


@dataclass(frozen=True)
class Tile:
    """One picture of a figure.

    Attributes:
        name: Of its file, without the suffix.
        alt: What it shows, for readers who don't see it.
    """

    name: str
    alt: str
    png: bytes


@dataclass(frozen=True)
class Picture:
    """A figure of the report.

    Attributes:
        caption: What it shows, its units, and how it was made.
        tiles: Side by side where there is room.
        kind: Decides the size of tiles: sheets of `faces`, small `charts`, a `tall` chart or a `wide` one.
        missing: What is not in it, and why; empty if nothing is missing.
    """

    key: str
    title: str
    caption: str
    tiles: tuple[Tile, ...]
    kind: Literal["faces", "charts", "tall", "wide"]
    missing: str = ""


def chart(name: str, alt: str, draw: Callable[[], Figure]) -> Tile:
    """A tile of what `draw` draws."""
    return Tile(name, alt, as_png(draw, _CHART_STYLE))


@dataclass(frozen=True)
class Curve:
    """The finite values of a quantity of a run, raw and as the mean of the last 20 steps."""

    steps: NDArray[np.int64]
    raw: NDArray[np.float64]
    smooth: NDArray[np.float64]


def step_curves(records: Sequence[RunRecord], name: str) -> list[Curve]:
    """A quantity of all steps, of each run that has it."""
    curves = []
    for record in records:
        values = record.steps.get(name, np.empty(0))
        known = np.isfinite(values)
        if known.any():
            steps, raw = record.steps["step"][known].astype(np.int64), values[known]
            curves.append(Curve(steps, raw, moving_average(steps, raw, WINDOW)))
    return curves


def evaluated_curves(records: Sequence[RunRecord], *names: str) -> list[Curve]:
    """The first of some quantities that a run has, at all evaluations, not smoothed; of each run with any."""
    curves = []
    for record in records:
        found = [record.evaluations[name] for name in names if name in record.evaluations]
        known = np.isfinite(found[0]) if found else np.zeros(0, bool)
        if known.any():
            values = found[0][known]
            curves.append(Curve(record.evaluations["step"][known].astype(np.int64), values, values))
    return curves


def median_curve(curves: Sequence[Curve]) -> Curve:
    """The median of curves at each step that any of them has."""
    steps = np.unique(np.concatenate([curve.steps for curve in curves]))
    table = np.full((len(curves), len(steps)), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[np.searchsorted(steps, curve.steps)] = curve.smooth
    median = np.nanmedian(table, axis=0)
    return Curve(steps, median, median)


def draw_seeds(
    axes: Axes, curves: Sequence[Curve], colour: str, dash: str = "-", title: str | None = None
) -> None:
    """Seeds thin, if there are several, and their median thick."""
    if len(curves) > 1:
        for curve in curves:
            axes.plot(curve.steps, curve.smooth, dash, color=colour, alpha=0.45, linewidth=0.7)
    median = median_curve(curves)
    axes.plot(median.steps, median.smooth, dash, color=colour, linewidth=1.6, label=title)


def fit_height(axes: Axes, curves: Iterable[Curve]) -> None:
    """Limits an axis to most of the values of its curves."""
    low, high = visible_range([curve.smooth for curve in curves])
    margin = 0.06 * (high - low)
    axes.set_ylim(low - margin, high + margin)


def name_objectives(figure: Figure, objectives: Iterable[str]) -> None:
    """A legend of objectives by colour, below the charts."""
    handles = [
        Line2D([], [], color=COLOURS[objective], linewidth=2, label=TITLES[objective])
        for objective in objectives
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
