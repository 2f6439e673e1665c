"""The curves of runs (figure 2): read from their logs and smoothed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srcli.errors import RunError
from srcli.runs.directory import RunDirectory
from srcli.runs.log import read_log
from srcli.runs.names import shortest_names
from srcli.storage.bounded import JsonObject, is_number

QUANTITIES = {"l1": "L1 loss", "critic_loss": "critic loss", "generator_loss": "generator loss"}
"""The panels of figure 2, in order: the keys of `metrics.jsonl` and what the panels are called."""


@dataclass(frozen=True)
class Line:
    """One quantity of one run.

    Attributes:
        steps: (N,) generator steps, ascending.
        raw: (N,) the logged values, all finite.
        smoothed: (N,) their moving average.
    """

    steps: NDArray[np.int64]
    raw: NDArray[np.float64]
    smoothed: NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """What a run logged of every quantity in `QUANTITIES`; a quantity it never logged is left out."""

    run: str
    lines: Mapping[str, Line]


def read_curves(paths: Sequence[Path], window: int) -> list[Curves]:
    """Reads the curves of runs, finished or not, each under the shortest name that tells it from the others.

    Args:
        window: Of the moving average, in generator steps.

    Raises:
        RunError: A folder is not a run, has a damaged log, or logged none of the quantities.
        UserError: A run is given twice.
    """
    named = zip(shortest_names(paths), paths, strict=True)
    return [_curves_of(name, RunDirectory(path), window) for name, path in named]


def moving_average(steps: NDArray[np.int64], values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """The mean of the values logged in the last `window` generator steps, the current one included.

    Before `window` steps have passed, it is the mean of all values so far. Runs that log every step and
    runs that log every tenth are so smoothed over the same stretch of training.

    Args:
        steps: (N,), ascending.
        values: (N,), finite.
        window: In generator steps, 1 or more.
    """
    firsts = np.searchsorted(steps, steps - window, side="right")
    offset = values.mean()  # small numbers lose less in the difference of two long sums
    sums = np.concatenate([[0.0], np.cumsum(values - offset)])
    counts = np.arange(1, len(values) + 1) - firsts
    average: NDArray[np.float64] = (sums[1:] - sums[firsts]) / counts + offset
    return average


def visible_range(series: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """The lowest and highest value a chart of several series should show, never equal.

    The wildest hundredth at either end of a series is left to be cut off: the first steps of training
    would otherwise flatten everything that comes after.
    """
    ends = np.concatenate([np.quantile(values, [0.01, 0.99]) for values in series])
    low, high = float(ends.min()), float(ends.max())
    margin = 0 if high > low else max(1, abs(low) / 10**6)  # of large numbers, 1 is no part
    return low - margin, high + margin


def _curves_of(name: str, run: RunDirectory, window: int) -> Curves:
    run.record()  # says what is wrong when the folder is not a run
    by_step = {entry["step"]: entry for entry in read_log(run.metrics_file)}
    entries = [by_step[step] for step in sorted(by_step)]
    lines = {key: line for key in QUANTITIES if (line := _line(entries, key, window)) is not None}
    if not lines:
        raise RunError(
            f"{run.metrics_file} holds no losses yet", "Wait for the run's first step, or leave the run out."
        )
    return Curves(name, lines)


def _line(entries: Sequence[JsonObject], key: str, window: int) -> Line | None:
    """What a log holds of one quantity, apart from what is no finite number; None if it holds none."""
    pairs = [(entry["step"], entry[key]) for entry in entries if is_number(entry.get(key))]
    if not pairs:
        return None
    steps = np.array([step for step, _ in pairs], np.int64)
    raw = np.array([value for _, value in pairs], np.float64)
    return Line(steps, raw, moving_average(steps, raw, window))
