"""Charts that the paper doesn't have: |W| beside quality, the adversary's share, PSNR by cell."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from srcli.metrics.table import METRICS
from srcli.reproduction.cells import Cell
from srcli.reproduction.intervals import student_interval
from srcli.reproduction.records import Baselines
from srcli.reproduction.report.pictures import (
    WIDTH,
    WINDOW,
    Curve,
    Picture,
    chart,
    draw_seeds,
    evaluated_curves,
    fit_height,
    name_objectives,
    step_curves,
)
from srcli.reproduction.report.wording import waiting
from srcli.reproduction.studies.drawing import COLOURS, label_plainly

_HELD_OUT, _QUALITY, _QUALITY_BATCH = "#000000", "#0072B2", "#CC79A7"
_LINES = {
    "nearest": ("#9A6A00", ":", "nearest neighbour"),
    "bicubic": ("#000000", "--", "bicubic (Pillow)"),
    "bicubic_tensorflow1": ("#777777", "-.", "bicubic (TensorFlow 1)"),
}


def course_picture(cells: Sequence[Cell]) -> Picture:
    """The critic's Wasserstein estimate over the quality it should follow, a chart per cell."""
    tiles = [
        chart(
            f"course-{cell.name}",
            f"{cell.name}: size of the Wasserstein estimate, and PSNR, over steps",
            partial(_course, cell),
        )
        for cell in cells
        if any(record.step for record in cell.records)
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


def share_picture(cells: Sequence[Cell], present: float | None) -> Picture:
    """The adversary's share in the generator's gradient, a chart per architecture.

    `present` is the share below which the plan counts the adversary as absent.
    """
    families: dict[str, list[tuple[str, list[Curve]]]] = {}
    for cell in cells:
        curves = evaluated_curves(cell.records, "adversary_share")
        if curves:
            families.setdefault(family_of(cell), []).append((cell.objective, curves))
    tiles = [
        chart(
            f"share-{family}",
            f"{family}: the adversary's share over steps",
            partial(_share, family, own, present),
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


def psnr_picture(cells: Sequence[Cell], baselines: Baselines) -> Picture:
    """The PSNR of each cell's finished runs and of interpolation."""
    shown = [cell for cell in cells if any("psnr_running" in run.figures for run in cell.finished)]
    alt = f"PSNR by experiment: {', '.join(cell.name for cell in shown)}"
    tiles = [chart("psnr", alt, partial(_psnr, shown, baselines))] if shown else []
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
    """A cell's name without its objective, as in `resnet-gamma0`."""
    return "-".join(word for word in cell.name.split("-") if word not in ("gan", "wgan", "wgangp"))


def _waiting(cells: Sequence[Cell]) -> str:
    return waiting([cell.name for cell in cells if not cell.records])


def _course(cell: Cell) -> Figure:
    figure = Figure(figsize=(WIDTH, 4.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    runs, colour = cell.records, COLOURS[cell.objective]
    training = _absolute(step_curves(runs, "wasserstein"))
    held_out = _absolute(evaluated_curves(runs, "wasserstein_test"))
    _lines(above, [(training, colour, "-", "|W|, training"), (held_out, _HELD_OUT, "--", "|W|, held-out")])
    running, batch = evaluated_curves(runs, "psnr_running", "psnr"), evaluated_curves(runs, "psnr_batch")
    _lines(below, [(running, _QUALITY, "-", "PSNR, running"), (batch, _QUALITY_BATCH, "--", "PSNR, batch")])
    above.set(title=cell.name, ylabel="|W| (score)")
    above.set_ylim(bottom=0)
    below.set(ylabel=METRICS["psnr"].title, xlabel="generator steps")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _lines(axes: Axes, groups: Sequence[tuple[Sequence[Curve], str, str, str]]) -> None:
    """The curves of each group in its colour and dash, with its title."""
    groups = [group for group in groups if group[0]]
    if not groups:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color="#666666")
        return
    for group in groups:
        draw_seeds(axes, *group)
    fit_height(axes, [curve for curves, *_ in groups for curve in curves])


def _absolute(curves: Sequence[Curve]) -> list[Curve]:
    return [Curve(curve.steps, np.abs(curve.raw), np.abs(curve.smooth)) for curve in curves]


def _share(family: str, own: Sequence[tuple[str, Sequence[Curve]]], present: float | None) -> Figure:
    figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
    axes = figure.subplots()
    for objective, curves in own:
        draw_seeds(axes, curves, COLOURS[objective])
    if present is not None:
        axes.axhline(present, color="#000000", linestyle=":", linewidth=1)
    axes.set(title=family, xlabel="generator steps", ylabel="adversary over L1", yscale="log")
    label_plainly(axes.yaxis)
    name_objectives(figure, [objective for objective, _ in own])
    return figure


def _psnr(cells: Sequence[Cell], baselines: Baselines) -> Figure:
    figure = Figure(figsize=(4.7, 1.5 + 0.24 * len(cells)), layout="constrained")
    axes = figure.subplots()
    for place, cell in enumerate(cells):
        running, batch = _over_seeds(cell, "psnr_running"), _over_seeds(cell, "psnr_batch")
        colour = COLOURS[cell.objective]
        if len(running) > 1:
            estimate = student_interval(running)
            axes.hlines(place, estimate.low, estimate.high, color=colour, linewidth=1.6)
            axes.plot([estimate.value], [place], "|", color=colour, markersize=9, markeredgewidth=2)
        axes.plot(running, [place] * len(running), "o", color=colour, markersize=4.5)
        axes.plot(batch, [place] * len(batch), "o", color=colour, markersize=4.5, markerfacecolor="white")
    for name, (colour, dash, title) in _LINES.items():
        if name in baselines:
            value = float(np.mean(baselines[name]["psnr"]))
            axes.axvline(value, color=colour, linestyle=dash, linewidth=1.3, label=title)
    axes.set_yticks(range(len(cells)), [cell.name for cell in cells])
    axes.set(xlabel=METRICS["psnr"].title, ylim=(len(cells) - 0.4, -0.6))
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _over_seeds(cell: Cell, name: str) -> list[float]:
    return [run.figures[name] for run in cell.finished if name in run.figures]
