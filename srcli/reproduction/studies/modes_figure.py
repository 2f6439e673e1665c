"""The figure of the modes study."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from srcli.reproduction.studies.drawing import COLOURS, save
from srcli.reproduction.studies.networks import random_source
from srcli.reproduction.studies.shapes import SHAPES, ShapeName
from srcli.reproduction.studies.study import Result


def draw_modes(
    shapes: Sequence[ShapeName], objectives: Sequence[str], results: Sequence[Result], path: Path
) -> None:
    """Writes the first seed's samples, one row a shape, one column an objective."""
    save(path, lambda: _figure(shapes, objectives, results[0]))


def _figure(shapes: Sequence[ShapeName], objectives: Sequence[str], result: Result) -> Figure:
    size = (3.4 * len(objectives), 3.5 * len(shapes))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(shapes), len(objectives), squeeze=False)
    for row, name in zip(panels, shapes, strict=True):
        shape = SHAPES[name]()
        data = shape.sample(1000, random_source(0)).numpy()
        reach = 1.35 * float(np.abs(data).max())
        for axes, objective in zip(row, objectives, strict=True):
            case = result["shapes"][name][objective]
            samples = np.array(case["samples"])
            axes.scatter(*data.T, s=5, color="#BBBBBB", linewidth=0, label="data")
            axes.scatter(*samples.T, s=6, color=COLOURS[objective], linewidth=0, label="generator")
            good = f"{case['good_share']:.0%} good"
            axes.set_title(f"{objective}: {case['covered']} of {shape.parts}, {good}")
            axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            axes.set(xlabel="x (units of the plane)", ylabel="y")
    panels[0, 0].legend(loc="lower center", ncols=2, markerscale=2)
    return figure
