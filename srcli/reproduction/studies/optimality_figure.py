"""The figure of the optimality study."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from srcli.reproduction.studies.drawing import line_over_seeds, save
from srcli.reproduction.studies.study import Result


def draw_optimality(
    checkpoints: Sequence[int], titles: Mapping[str, str], results: Sequence[Result], path: Path
) -> None:
    """Writes the gradient's norms by loss against critic steps, as measured and over their largest."""
    save(path, lambda: _figure(checkpoints, titles, results))


def _figure(checkpoints: Sequence[int], titles: Mapping[str, str], results: Sequence[Result]) -> Figure:
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    measured, relative = figure.subplots(1, 2)
    steps = [max(1, step) for step in checkpoints]
    for name, title in titles.items():
        norms = np.array([r["norms"][name] for r in results])
        line_over_seeds(measured, steps, norms, name, title=title)
        line_over_seeds(relative, steps, norms / norms.max(axis=1, keepdims=True), name, title=title)
    measured.set(title="As measured", ylabel="norm of the generator's gradient")
    relative.set(title="Over its largest", ylabel="share of the largest norm")
    for axes in (measured, relative):
        axes.set(xscale="log", yscale="log", xlabel="critic steps (0 is drawn at 1)")
    measured.legend()
    return figure
