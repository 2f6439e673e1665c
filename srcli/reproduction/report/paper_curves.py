"""The paper's figure 2 with a campaign's runs: L1, critic loss and generator loss over steps."""

from collections.abc import Mapping, Sequence
from functools import partial

from matplotlib.figure import Figure

from srcli.curves.read import QUANTITIES
from srcli.reproduction.cells import Cell
from srcli.reproduction.report.paper import OBJECTIVES
from srcli.reproduction.report.pictures import (
    WIDTH,
    WINDOW,
    Curve,
    Picture,
    Tile,
    chart,
    fit_height,
    median_curve,
    name_objectives,
    step_curves,
)
from srcli.reproduction.report.wording import unplanned, waiting
from srcli.reproduction.studies.drawing import COLOURS
from srcli.reproduction.wording import TITLES

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


def curve_picture(number: str, family: str, title: str, cells: Mapping[str, Cell]) -> Picture:
    """Figure 2 with the cells of an architecture."""
    names = [f"{family}-{objective}" for objective in OBJECTIVES]
    planned = [cells[name] for name in names if name in cells]
    shown = [cell for cell in planned if cell.records]
    tiles = [_tile(number, quantity, shown) for quantity in QUANTITIES] if shown else []
    missing = unplanned(names, cells) or waiting([cell.name for cell in planned if not cell.records])
    return Picture(f"figure-{number}", title, _CAPTION, tuple(tiles), "charts", missing)


def _tile(number: str, quantity: str, cells: Sequence[Cell]) -> Tile:
    found = {cell.objective: step_curves(cell.records, quantity) for cell in cells}
    curves = {name: own for name, own in found.items() if own}
    title = QUANTITIES[quantity]
    return chart(
        f"figure-{number}-{quantity.replace('_', '-')}",
        f"{title} over generator steps: {', '.join(TITLES[name] for name in curves)}",
        partial(_figure, title, _UNITS[quantity], curves),
    )


def _figure(title: str, unit: str, curves: Mapping[str, Sequence[Curve]]) -> Figure:
    figure = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel="generator steps", ylabel=unit)
    for objective, own in curves.items():
        colour = COLOURS[objective]
        for curve in own:
            axes.plot(curve.steps, curve.raw, color=colour, alpha=0.12, linewidth=0.6)
        for curve in own:
            axes.plot(curve.steps, curve.smooth, color=colour, alpha=0.6, linewidth=0.8)
        median = median_curve(own)
        axes.plot(median.steps, median.smooth, color=colour, linewidth=2)
    if curves:
        fit_height(axes, [curve for own in curves.values() for curve in own])
    name_objectives(figure, curves)
    return figure
