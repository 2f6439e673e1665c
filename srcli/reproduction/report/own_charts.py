"""Charts that the paper doesn't have: |W| beside quality, the adversary's share, PSNR by cell."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from srcli.curves.read import visible_range
from srcli.metrics.table import METRICS
from srcli.reproduction.intervals import student_interval
from srcli.reproduction.report.contents import Cell
from srcli.reproduction.report.pictures import (
    WIDTH,
    WINDOW,
    Curve,
    Picture,
    Tile,
    as_png,
    evaluated_curve,
    median_curve,
    step_curve,
)
from srcli.reproduction.report.wording import TITLES, waiting
from srcli.reproduction.studies.drawing import COLOURS

_HELD_OUT, _QUALITY, _QUALITY_BATCH = "#000000", "#0072B2", "#CC79A7"
_LINES = {"nearest": ("#9A6A00", ":"), "bicubic": ("#000000", "--"), "bicubic_tensorflow1": ("#777777", "-.")}
_LINE_TITLES = {
    "nearest": "nearest neighbour",
    "bicubic": "bicubic (Pillow)",
    "bicubic_tensorflow1": "bicubic (TensorFlow 1)",
}

Baselines = Mapping[str, Mapping[str, NDArray[Any]]]


def course_picture(cells: Mapping[str, Cell]) -> Picture:
    """The critic's Wasserstein estimate over the quality it should follow, a chart for each cell."""
    shown = [cell for cell in cells.values() if any(record.step for record in cell.records)]
    tiles = [
        Tile(
            f"course-{cell.name}",
            f"{cell.name}: size of the Wasserstein estimate, and PSNR, over steps",
            as_png(partial(_course, cell)),
        )
        for cell in shown
    ]
    return Picture(
        "course",
        "The critic's estimate beside the quality it should follow",
        "Above, |W| = |E[D(x)] − E[D(G(z))]| in units of the critic's score: on training faces as the"
        f" mean of the last {WINDOW} steps, and at evaluations on held-out faces. Below, PSNR in dB of"
        " held-out faces at the same evaluations, with batch norm's running statistics and with those of"
        " the batch. Thin: seeds; thick: their median. A GAN's critic doesn't estimate a distance; its"
        " chart is there to compare.",
        tuple(tiles),
        "charts",
        _waiting(cells),
    )


def share_picture(cells: Mapping[str, Cell], present: float | None) -> Picture:
    """The adversary's share in the generator's gradient, a chart for each architecture.

    Args:
        present: The share below which the plan counts the adversary as absent.
    """
    families: dict[str, list[tuple[Cell, list[Curve]]]] = {}
    for cell in cells.values():
        found = [evaluated_curve(record, "adversary_share") for record in cell.records]
        curves = [curve for curve in found if curve is not None]
        if curves:
            families.setdefault(family_of(cell), []).append((cell, curves))
    tiles = [
        Tile(
            f"share-{family}",
            f"{family}: the adversary's share over steps",
            as_png(partial(_share, family, own, present)),
        )
        for family, own in families.items()
    ]
    return Picture(
        "share",
        "The adversary's share in what the generator learns",
        "The norm of the adversarial gradient, (1 − gamma) dJ_G/dx, over that of the L1 term, gamma"
        " dL1/dx, at the generator's outputs, at evaluations, on a logarithmic scale. Thin: seeds; thick:"
        " their median. Below the dotted line the plan calls the adversary absent. Without an L1 term"
        " there is no share.",
        tuple(tiles),
        "charts",
        _waiting(cells),
    )


def psnr_picture(cells: Mapping[str, Cell], baselines: Baselines) -> Picture:
    """The PSNR of each cell's finished runs, with what interpolation gives."""
    shown = [cell for cell in cells.values() if any("psnr_running" in run.figures for run in cell.finished)]
    tiles = []
    if shown:
        alt = f"PSNR by experiment: {', '.join(cell.name for cell in shown)}"
        tiles.append(Tile("psnr", alt, as_png(partial(_psnr, shown, baselines))))
    return Picture(
        "psnr",
        "PSNR by experiment",
        "Mean PSNR in dB over all test faces: a dot a seed, hollow with the batch's statistics; the bar"
        " is the 95 % Student interval of the mean over seeds (running statistics), which one seed"
        " doesn't have. Lines: what interpolation reaches on the same faces.",
        tuple(tiles),
        "tall",
        _waiting(cells),
    )


def family_of(cell: Cell) -> str:
    """A cell's name without its objective: `resnet-gamma0`."""
    words = [word for word in cell.name.split("-") if word not in ("gan", "wgan", "wgangp")]
    return "-".join(words)


def _waiting(cells: Mapping[str, Cell]) -> str:
    return waiting([cell.name for cell in cells.values() if not cell.records])


def _course(cell: Cell) -> Figure:
    figure = Figure(figsize=(WIDTH, 4.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    training = [step_curve(record, "wasserstein", absolute=True) for record in cell.records]
    held_out = [_size(evaluated_curve(record, "wasserstein_test")) for record in cell.records]
    colour = COLOURS[cell.objective]
    _lines(above, [(training, colour, "-", "|W|, training"), (held_out, _HELD_OUT, "--", "|W|, held-out")])
    running = [evaluated_curve(record, "psnr_running", "psnr") for record in cell.records]
    batch = [evaluated_curve(record, "psnr_batch") for record in cell.records]
    _lines(
        below,
        [(running, _QUALITY, "-", "PSNR, running"), (batch, _QUALITY_BATCH, "--", "PSNR, batch")],
    )
    above.set(title=cell.name, ylabel="|W| (score)")
    above.set_ylim(bottom=0)
    below.set(ylabel=METRICS["psnr"].title, xlabel="generator steps")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


_Group = tuple[Sequence[Curve | None], str, str, str]


def _lines(axes: Axes, groups: Sequence[_Group]) -> None:
    """Seeds thin and medians thick, of each group that has any curve."""
    seen = []
    for found, colour, dash, title in groups:
        curves = [curve for curve in found if curve is not None]
        if not curves:
            continue
        seen += [curve.smooth for curve in curves]
        if len(curves) > 1:
            for curve in curves:
                axes.plot(curve.steps, curve.smooth, dash, color=colour, alpha=0.45, linewidth=0.7)
        median = median_curve(curves)
        axes.plot(median.steps, median.smooth, dash, color=colour, linewidth=1.6, label=title)
    if not seen:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color="#666666")
        return
    low, high = visible_range(seen)
    axes.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))


def _size(curve: Curve | None) -> Curve | None:
    return None if curve is None else Curve(curve.steps, np.abs(curve.raw), np.abs(curve.smooth))


def _share(family: str, own: Sequence[tuple[Cell, Sequence[Curve]]], present: float | None) -> Figure:
    figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
    axes = figure.subplots()
    for cell, curves in own:
        colour = COLOURS[cell.objective]
        for curve in curves if len(curves) > 1 else []:
            axes.plot(curve.steps, curve.smooth, color=colour, alpha=0.4, linewidth=0.7)
        median = median_curve(curves)
        axes.plot(median.steps, median.smooth, color=colour, linewidth=1.8)
    if present is not None:
        axes.axhline(present, color="#000000", linestyle=":", linewidth=1)
    axes.set(title=family, xlabel="generator steps", ylabel="adversary over L1", yscale="log")
    handles = [
        Line2D([], [], color=COLOURS[cell.objective], linewidth=2, label=TITLES[cell.objective])
        for cell, _ in own
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _psnr(cells: Sequence[Cell], baselines: Baselines) -> Figure:
    figure = Figure(figsize=(4.7, 1.5 + 0.24 * len(cells)), layout="constrained")
    axes = figure.subplots()
    for place, cell in enumerate(cells):
        running, batch = _seed_values(cell, "psnr_running"), _seed_values(cell, "psnr_batch")
        colour = COLOURS[cell.objective]
        estimate = student_interval(running)
        if len(running) > 1:
            axes.hlines(place, estimate.low, estimate.high, color=colour, linewidth=1.6)
            axes.plot([estimate.value], [place], "|", color=colour, markersize=9, markeredgewidth=2)
        axes.plot(running, np.full(len(running), place), "o", color=colour, markersize=4.5)
        axes.plot(
            batch, np.full(len(batch), place), "o", color=colour, markersize=4.5, markerfacecolor="white"
        )
    for name, (colour, dash) in _LINES.items():
        if name in baselines:
            value = float(np.mean(baselines[name]["psnr"]))
            axes.axvline(value, color=colour, linestyle=dash, linewidth=1.3, label=_LINE_TITLES[name])
    axes.set_yticks(range(len(cells)), [cell.name for cell in cells])
    axes.set(xlabel=METRICS["psnr"].title, ylim=(len(cells) - 0.4, -0.6))
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _seed_values(cell: Cell, name: str) -> NDArray[np.float64]:
    return np.array([run.figures[name] for run in cell.finished if name in run.figures], np.float64)
