"""The figures of the studies."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from srcli.reproduction.studies.drawing import (
    COLOURS,
    Values,
    dots_over_seeds,
    label_plainly,
    line_over_seeds,
)
from srcli.reproduction.studies.networks import random_source
from srcli.reproduction.studies.settings import Method
from srcli.reproduction.studies.shapes import SHAPES, ShapeName
from srcli.reproduction.studies.study import Result, regression

_MARKS = "osD^vP*X<>hp"
_LIMIT_COLOURS = ("#56B4E9", "#0072B2", "#000000")
_STROKES = (":", "--", "-")


def distances_figure(thetas: Sequence[float], results: Sequence[Result]) -> Figure:
    """Estimates and derivatives by theta, in each objective's colour; exact values in black."""
    figure = Figure(figsize=(12, 4.0), layout="constrained")
    em, js, gradients = figure.subplots(1, 3)
    sizes, exact = np.abs(thetas), COLOURS["exact"]
    em.plot(thetas, sizes, "--", color=exact, label="exact: |theta|")
    line_over_seeds(em, thetas, [r["wgan-gp"]["estimates"] for r in results], "wgan-gp")
    line_over_seeds(em, thetas, [_scaled(r["wgan"]["estimates"], sizes) for r in results], "wgan")
    em.set(title="EM distance", xlabel="theta", ylabel="distance (units of the plane)")
    apart = np.array([theta for theta in thetas if theta != 0])
    title = "exact: log 2, and 0 at 0"
    js.plot(apart, np.full(len(apart), np.log(2)), "_", color=exact, markersize=16, label=title)
    if len(apart) < len(thetas):
        js.plot([0], [0], "_", color=exact, markersize=16)
    dots_over_seeds(js, thetas, [r["gan"]["estimates"] for r in results], "gan")
    js.set(title="JS divergence", xlabel="theta", ylabel="divergence (nats)")
    gradients.plot(apart, np.sign(apart), "_", color=exact, markersize=16, label="exact EM: sign of theta")
    for name in ("wgan-gp", "wgan", "gan"):
        dots_over_seeds(gradients, thetas, [r[name]["gradients"] for r in results], name)
    saturating = [r["gan"]["saturating_gradients"] for r in results]
    dots_over_seeds(gradients, thetas, saturating, "gan, saturating")
    gradients.set(title="Gradient of the generator's loss", xlabel="theta", ylabel="d loss / d theta")
    gradients.set_yscale("symlog", linthresh=1e-3)
    label_plainly(gradients.yaxis)
    em.legend()
    js.legend(loc="center left")
    gradients.legend(loc="upper left")
    return figure


def _scaled(values: Sequence[float], sizes: Values) -> list[float]:
    """Values times the factor that brings them nearest to the sizes."""
    measured = np.asarray(values)
    return [float(v) for v in measured * (measured @ sizes) / (measured @ measured)]


def optimality_figure(
    checkpoints: Sequence[int], titles: Mapping[str, str], results: Sequence[Result]
) -> Figure:
    """Norms of the generator's gradient by loss against critic steps, as measured and over their largest."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    measured, relative = figure.subplots(1, 2)
    steps = [max(1, step) for step in checkpoints]
    for name, title in titles.items():
        norms = np.array([r["norms"][name] for r in results])
        line_over_seeds(measured, steps, norms, name, title)
        line_over_seeds(relative, steps, norms / norms.max(axis=1, keepdims=True), name, title)
    measured.set(title="As measured", ylabel="norm of the generator's gradient")
    relative.set(title="Over its largest", ylabel="share of the largest norm")
    for axes in (measured, relative):
        axes.set(xscale="log", yscale="log", xlabel="critic steps (0 is drawn at 1)")
        label_plainly(axes.xaxis, axes.yaxis)
    measured.legend()
    return figure


def exact_em_figure(pairs: Sequence[str], results: Sequence[Result]) -> Figure:
    """Each critic's estimates against exact EM, one mark per pair of distributions."""
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    penalised, clipped = figure.subplots(1, 2)
    _scatter(penalised, pairs, results, "wgan-gp")
    top = max(max(r["exact"]) for r in results)
    penalised.plot([0, top], [0, top], "--", color=COLOURS["exact"], linewidth=1, zorder=0)
    penalised.set(title="WGAN-GP", ylabel="critic's estimate (units of the plane)")
    _scatter(clipped, pairs, results, "wgan")
    clipped.set(title="WGAN, clipped", ylabel="critic's estimate (unknown scale)")
    figure.legend(*penalised.get_legend_handles_labels(), loc="outside right center")
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
    axes.plot(ends, estimates.mean() + slope * (ends - exact.mean()), color="#777777", linewidth=1.2)
    axes.text(0.03, 0.95, f"slope {slope:.3g}, R2 {r2:.3f}", transform=axes.transAxes, va="top")
    axes.set_xlabel("exact EM (units of the plane)")


def modes_figure(shapes: Sequence[ShapeName], objectives: Sequence[str], result: Result) -> Figure:
    """One seed's samples, a row per shape and a column per objective."""
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


class Critic(NamedTuple):
    """A critic of the clipping study: its key in results, how it is trained, and its place in the figure.

    `row` and `column` number clipping limits and n_critics; both are -1, and there is no `clip_value`, under
    the gradient penalty.
    """

    key: str
    method: Method
    clip_value: float | None = None
    row: int = -1
    column: int = -1

    @property
    def name(self) -> str:
        """What it is called for readers, without its n_critic."""
        return "gradient penalty" if self.clip_value is None else f"clipped at {self.clip_value:g}"

    @property
    def title(self) -> str:
        """What it is called for readers."""
        return f"{self.name}, n_critic {self.method.objective.n_critic}"

    @property
    def colour(self) -> str:
        """Its colour by limit."""
        return COLOURS["wgan-gp"] if self.row < 0 else _LIMIT_COLOURS[self.row % len(_LIMIT_COLOURS)]


def clipping_figure(
    critics: Sequence[Critic], shape: ShapeName, reach: float, results: Sequence[Result]
) -> Figure:
    """The first seed's surfaces, and gradients and clipped shares over all seeds.

    After figure 1 of Gulrajani et al. 2017.
    """
    clipped = [critic for critic in critics if critic.row >= 0]
    rows, columns = clipped[-1].row + 1, clipped[-1].column + 1
    figure = Figure(figsize=(2.6 * (columns + 1), 2.6 * rows + 4.8), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(2.6 * rows, 4.8), squeeze=False)[:, 0]
    panels = above.subplots(rows, columns + 1, squeeze=False)
    for axes in panels[:, -1]:
        axes.set_axis_off()
    data = SHAPES[shape]().sample(300, random_source(0)).numpy()
    for critic in critics:
        axes = panels[max(critic.row, 0), critic.column]  # column -1 is the last
        _draw_surface(axes, critic.title, np.array(results[0]["cells"][critic.key]["surface"]), reach, data)
    _draw_gradients_and_shares(below, critics, results)
    return figure


def _draw_surface(axes: Axes, title: str, surface: Values, reach: float, data: Values) -> None:
    axes.set_axis_on()
    side = np.linspace(-reach, reach, len(surface))
    axes.contourf(side, side, surface, levels=16, cmap="viridis")
    axes.contour(side, side, surface, levels=16, colors="white", linewidths=0.4)
    axes.scatter(data[:, 0], data[:, 1], s=3, color="#E69F00", linewidth=0)
    axes.set_title(title, fontsize=8.5)
    axes.set(aspect="equal", xticks=(), yticks=())
    axes.grid(visible=False)


def _draw_gradients_and_shares(
    figure: SubFigure, critics: Sequence[Critic], results: Sequence[Result]
) -> None:
    gradients, shares = figure.subplots(1, 2)
    for critic in critics:
        of_seeds = [r["cells"][critic.key]["gradients"] for r in results]
        norms = np.exp(np.log(np.maximum(of_seeds, np.finfo(float).tiny)).mean(axis=0))
        stroke, width = ("-", 2.4) if critic.row < 0 else (_STROKES[critic.column % len(_STROKES)], 1.2)
        places = range(len(norms))
        gradients.plot(places, norms, stroke, color=critic.colour, linewidth=width, label=critic.title)
    gradients.set(title="Gradient by layer", yscale="log", ylabel="norm of the score's gradient")
    label_plainly(gradients.yaxis)
    gradients.set_xticks(places, ["input", *(f"hidden {n}" for n in places[1:])])
    figure.legend(*gradients.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    clipped = [critic for critic in critics if critic.row >= 0]
    values = [np.mean([r["cells"][critic.key]["clipped_share"] for r in results]) for critic in clipped]
    colours = [critic.colour for critic in clipped]
    shares.barh([critic.title for critic in clipped], values, color=colours)
    shares.set(title="Weights at the limit", xlabel="share of all weights", xlim=(0, 1))
    shares.invert_yaxis()
