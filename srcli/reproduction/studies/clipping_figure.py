"""The figure of the clipping study, after figure 1 of Gulrajani et al. 2017."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from srcli.reproduction.studies.drawing import COLOURS, save
from srcli.reproduction.studies.networks import random_source
from srcli.reproduction.studies.shapes import SHAPES, ShapeName
from srcli.reproduction.studies.study import Result

_LIMIT_COLOURS = ("#56B4E9", "#0072B2", "#000000")
_STROKES = (":", "--", "-")
_PENALTY_COLOUR = COLOURS["wgan-gp"]


class Drawn(NamedTuple):
    """A cell as it is drawn: its key in results, its title, and where it stands in the grid of cells.

    `row` and `column` number limits and n_critics; both are -1 for the penalty.
    """

    key: str
    title: str
    row: int
    column: int


def draw_clipping(
    cells: Sequence[Drawn], shape: ShapeName, reach: float, results: Sequence[Result], path: Path
) -> None:
    """Writes the first seed's surfaces, and gradients and clipped shares over all seeds."""
    save(path, lambda: _figure(cells, shape, reach, results))


def _figure(cells: Sequence[Drawn], shape: ShapeName, reach: float, results: Sequence[Result]) -> Figure:
    rows, columns = (1 + max(side) for side in zip(*((cell.row, cell.column) for cell in cells), strict=True))
    figure = Figure(figsize=(2.6 * (columns + 1), 2.6 * rows + 4.8), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(2.6 * rows, 4.8), squeeze=False)[:, 0]
    _draw_surfaces(above, cells, (rows, columns), shape, reach, results[0]["cells"])
    gradients, shares = below.subplots(1, 2)
    for cell in cells:
        _draw_gradients(gradients, cell, [r["cells"][cell.key]["gradients"] for r in results])
    gradients.set(title="Gradient by layer", yscale="log", ylabel="norm of the score's gradient")
    layers = len(results[0]["cells"][cells[0].key]["gradients"]) - 1
    gradients.set_xticks(range(layers + 1), ["input", *(f"hidden {n}" for n in range(1, layers + 1))])
    below.legend(*gradients.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    clipped = [cell for cell in cells if cell.row >= 0]
    values = [np.mean([r["cells"][cell.key]["clipped_share"] for r in results]) for cell in clipped]
    colours = [_colour(cell) for cell in clipped]
    shares.barh([cell.title for cell in clipped], values, color=colours)
    shares.set(title="Weights at the limit", xlabel="share of all weights", xlim=(0, 1))
    shares.invert_yaxis()
    return figure


def _draw_surfaces(
    figure: SubFigure,
    cells: Sequence[Drawn],
    grid: tuple[int, int],
    shape: ShapeName,
    reach: float,
    cases: dict[str, Any],
) -> None:
    """The clipped critics in rows by limit and columns by n_critic; the penalised one on their right."""
    panels = figure.subplots(grid[0], grid[1] + 1, squeeze=False)
    data = SHAPES[shape]().sample(300, random_source(0)).numpy()
    for axes in panels[:, -1]:
        axes.set_axis_off()
    for cell in cells:
        axes = panels[max(cell.row, 0), cell.column]  # column -1 is the last
        axes.set_axis_on()
        surface = np.array(cases[cell.key]["surface"])
        side = np.linspace(-reach, reach, len(surface))
        axes.contourf(side, side, surface, levels=16, cmap="viridis")
        axes.contour(side, side, surface, levels=16, colors="white", linewidths=0.4)
        axes.scatter(*data.T, s=3, color="#E69F00", linewidth=0)
        axes.set_title(cell.title, fontsize=8.5)
        axes.set(aspect="equal", xticks=(), yticks=())
        axes.grid(visible=False)


def _draw_gradients(axes: Axes, cell: Drawn, gradients: Sequence[Sequence[float]]) -> None:
    floor = np.finfo(float).tiny
    norms = np.exp(np.log(np.maximum(gradients, floor)).mean(axis=0))
    stroke = _STROKES[cell.column % len(_STROKES)] if cell.row >= 0 else "-"
    width = 1.2 if cell.row >= 0 else 2.4
    axes.plot(range(len(norms)), norms, stroke, color=_colour(cell), linewidth=width, label=cell.title)


def _colour(cell: Drawn) -> str:
    return _LIMIT_COLOURS[cell.row % len(_LIMIT_COLOURS)] if cell.row >= 0 else _PENALTY_COLOUR
