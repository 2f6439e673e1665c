"""What a report's figures are: pictures with captions, drawn in one style."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from srcli.curves.read import moving_average
from srcli.reproduction.records import RunRecord
from srcli.reproduction.studies.drawing import STYLE

WINDOW = 20
"""Over how many steps curves are smoothed."""

WIDTH = 4.2
"""Of a small chart, in inches: its letters are legible on a telephone."""

_OWN_STYLE = {
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
        name: Of its file, without the ending.
        alt: What it shows, for who doesn't see it.
    """

    name: str
    alt: str
    png: bytes


@dataclass(frozen=True)
class Picture:
    """A figure of the report.

    Attributes:
        caption: What it shows, its units, and how it was made.
        tiles: Set side by side where there is room, else one above the other.
        kind: How large tiles are: sheets of `faces`, small `charts`, one `tall` chart, or a `wide` one.
        missing: What is not in it, and why; empty if nothing is.
    """

    key: str
    title: str
    caption: str
    tiles: tuple[Tile, ...]
    kind: Literal["faces", "charts", "tall", "wide"]
    missing: str = ""


def as_png(draw: Callable[[], Figure]) -> bytes:
    """What `draw` draws; equal figures give equal bytes, whatever the user's own matplotlibrc says."""
    file = BytesIO()
    with matplotlib.style.context(["default", STYLE, _OWN_STYLE]):
        draw().savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


@dataclass(frozen=True)
class Curve:
    """A logged quantity of a run where it is finite, raw and as the mean of the last 20 steps."""

    steps: NDArray[np.int64]
    raw: NDArray[np.float64]
    smooth: NDArray[np.float64]


def step_curve(record: RunRecord, name: str, absolute: bool = False) -> Curve | None:
    """A quantity of all steps; None where the run doesn't have it.

    Args:
        absolute: Whether to take the size of the smoothed values.
    """
    values = record.steps.get(name)
    if values is None:
        return None
    known = np.isfinite(values)
    if not known.any():
        return None
    steps, raw = record.steps["step"][known].astype(np.int64), values[known]
    smooth = moving_average(steps, raw, WINDOW)
    return Curve(steps, raw, np.abs(smooth) if absolute else smooth)


def evaluated_curve(record: RunRecord, *names: str) -> Curve | None:
    """The first of some quantities that a run has, at all evaluations, as measured; None without any."""
    found = [record.evaluations[name] for name in names if name in record.evaluations]
    known = np.isfinite(found[0]) if found else np.zeros(0, bool)
    if not known.any():
        return None
    values = found[0][known]
    return Curve(record.evaluations["step"][known].astype(np.int64), values, values)


def median_curve(curves: Sequence[Curve]) -> Curve:
    """The median of some curves at each step that any of them has."""
    steps = np.unique(np.concatenate([curve.steps for curve in curves]))
    table = np.full((len(curves), len(steps)), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[np.searchsorted(steps, curve.steps)] = curve.smooth
    median = np.nanmedian(table, axis=0)
    return Curve(steps, median, median)
