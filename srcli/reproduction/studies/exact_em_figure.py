"""The figure of the exact EM study."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from srcli.reproduction.studies.drawing import COLOURS, save
from srcli.reproduction.studies.statistics import regression
from srcli.reproduction.studies.study import Result

_MARKS = "osD^vP*X<>hp"


def draw_exact_em(pairs: Sequence[str], results: Sequence[Result], path: Path) -> None:
    """Writes each critic's estimates against exact EM, one mark per pair of distributions."""
    save(path, lambda: _figure(pairs, results))


def _figure(pairs: Sequence[str], results: Sequence[Result]) -> Figure:
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    penalised, clipped = figure.subplots(1, 2)
    _scatter(penalised, pairs, results, "wgan-gp")
    top = max(max(r["exact"]) for r in results)
    penalised.plot([0, top], [0, top], "--", color=COLOURS["exact"], linewidth=1, zorder=0)
    penalised.set(title="WGAN-GP", ylabel="critic's estimate (units of the plane)")
    _scatter(clipped, pairs, results, "wgan")
    clipped.set(title="WGAN, clipped", ylabel="critic's estimate (unknown scale)")
    handles, labels = penalised.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")
    return figure


def _scatter(axes: Axes, pairs: Sequence[str], results: Sequence[Result], name: str) -> None:
    exact = np.array([r["exact"] for r in results])
    estimates = np.array([r["estimates"][name] for r in results])
    for number, title in enumerate(pairs):
        mark = _MARKS[number % len(_MARKS)]
        points = exact[:, number], estimates[:, number]
        axes.plot(*points, mark, label=title, color=COLOURS[name], alpha=0.6, markersize=5)
    slope, r2 = regression(list(exact.ravel()), list(estimates.ravel()))
    ends = np.array([0, exact.max()])
    line = f"slope {slope:.3g}, R2 {r2:.3f}"
    axes.plot(ends, estimates.mean() + slope * (ends - exact.mean()), color="#777777", linewidth=1.2)
    axes.text(0.03, 0.95, line, transform=axes.transAxes, va="top")
    axes.set_xlabel("exact EM (units of the plane)")
