"""The paper's figure 2, with a campaign's runs: L1, critic loss and generator loss over steps."""

from collections.abc import Mapping, Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from srcli.curves.read import QUANTITIES, visible_range
from srcli.reproduction.report.contents import Cell
from srcli.reproduction.report.pictures import (
    WIDTH,
    WINDOW,
    Curve,
    Picture,
    Tile,
    as_png,
    median_curve,
    step_curve,
)
from srcli.reproduction.report.wording import TITLES, unplanned, waiting
from srcli.reproduction.studies.drawing import COLOURS

_OBJECTIVES = ("gan", "wgan", "wgangp")
_UNITS = {
    "l1": "L1, images in [−1, 1]",
    "critic_loss": "critic loss (scores)",
    "generator_loss": "generator loss",
}
_CAPTION = (
    f"Every step as logged (faint), the mean of the last {WINDOW} steps of each seed (thin), and the"
    " median of the seeds (thick). The wildest hundredth at either end of a curve may be cut off. The"
    " losses of the three objectives are different quantities; only L1 may be compared between them."
)


def curve_pictures(cells: Mapping[str, Cell]) -> dict[str, Picture]:
    """Figure 2, and figure 2 as the authors' code ran, by key."""
    pictures = (
        _picture("2", "resnet", "Figure 2: the ResNet's losses", cells),
        _picture("2-srez", "srez-resnet", "Figure 2 as the authors' code ran (srez)", cells),
    )
    return {picture.key: picture for picture in pictures}


def _picture(number: str, family: str, title: str, cells: Mapping[str, Cell]) -> Picture:
    names = [f"{family}-{objective}" for objective in _OBJECTIVES]
    planned = [cells[name] for name in names if name in cells]
    shown = [cell for cell in planned if cell.records]
    tiles = [_tile(number, quantity, shown) for quantity in QUANTITIES] if shown else []
    missing = unplanned(names, cells) or waiting([cell.name for cell in planned if not cell.records])
    return Picture(f"figure-{number}", title, _CAPTION, tuple(tiles), "charts", missing)


def _tile(number: str, quantity: str, cells: Sequence[Cell]) -> Tile:
    curves = {cell.objective: _curves(cell, quantity) for cell in cells}
    drawn = {objective: own for objective, own in curves.items() if own}
    title = QUANTITIES[quantity]
    names = ", ".join(TITLES[objective] for objective in drawn)
    png = as_png(partial(_figure, title, _UNITS[quantity], drawn))
    return Tile(
        f"figure-{number}-{quantity.replace('_', '-')}", f"{title} over generator steps: {names}", png
    )


def _curves(cell: Cell, quantity: str) -> list[Curve]:
    found = [step_curve(record, quantity) for record in cell.records]
    return [curve for curve in found if curve is not None]


def _figure(title: str, unit: str, curves: Mapping[str, Sequence[Curve]]) -> Figure:
    figure = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel="generator steps", ylabel=unit)
    for objective, own in curves.items():
        _draw(axes, own, COLOURS[objective])
    if curves:
        every = [curve.smooth for own in curves.values() for curve in own]
        low, high = visible_range(every)
        margin = 0.06 * (high - low)
        axes.set_ylim(low - margin, high + margin)
    handles = [
        Line2D([], [], color=COLOURS[objective], linewidth=2, label=TITLES[objective]) for objective in curves
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _draw(axes: Axes, curves: Sequence[Curve], colour: str) -> None:
    for curve in curves:
        axes.plot(curve.steps, curve.raw, color=colour, alpha=0.12, linewidth=0.6)
    for curve in curves:
        axes.plot(curve.steps, curve.smooth, color=colour, alpha=0.6, linewidth=0.8)
    median = median_curve(curves)
    axes.plot(median.steps, median.smooth, color=colour, linewidth=2)
