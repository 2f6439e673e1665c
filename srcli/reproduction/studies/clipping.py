"""What clipping does to a critic, beside the gradient penalty.

Arjovsky, Chintala & Bottou 2017, section 3, on the choice of the clipping limit; Gulrajani et al. 2017,
section 3 and figure 1.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from matplotlib.figure import Figure
from pydantic import Field, model_validator
from torch import Tensor, nn

from srcli.models.layers import Scores
from srcli.objectives import clipped_share
from srcli.reproduction.intervals import geometric_interval, student_interval
from srcli.reproduction.studies.figures import Critic, clipping_figure
from srcli.reproduction.studies.networks import Random, random_source
from srcli.reproduction.studies.settings import Bound, Count, Method, Settings
from srcli.reproduction.studies.shapes import SHAPES, ShapeName
from srcli.reproduction.studies.study import Result, Row, Table, finding
from srcli.reproduction.studies.training import PairStudy, new_critic
from srcli.reproduction.verdicts import Finding

PENALTY = "penalty"

_Limit = Annotated[float, Field(gt=0)]


class ClippingThresholds(Settings):
    """What has to be measured for the claims to hold."""

    vanishing: Bound = Field(description="smallest limit: gradient at the input over that at the last layer")
    slow: Bound = Field(description="largest limit: share of weights at the limit")
    extremes: Bound = Field(description="middle limit: share of weights at the limit")
    unit_norm: Bound = Field(description="penalty: norm of the critic's gradient at the input")
    simple: Bound = Field(description="share of good samples, penalty minus clipped, mean over n_critic")


class ClippingStudy(PairStudy):
    """One pair of networks per limit and number of critic steps, and one under the penalty."""

    study: Literal["clipping"]
    shape: ShapeName
    clip_values: Annotated[tuple[_Limit, _Limit, _Limit], Field(strict=False)] = Field(
        description="limits of the weights, smallest first"
    )
    n_critics: Annotated[tuple[Count, ...], Field(min_length=1, strict=False)]
    clipped: Method = Field(description="its clip_value and n_critic are replaced by each of the above")
    penalised: Method
    critic_deviation: float = Field(gt=0, description="of the critic's weights at the start")
    surface_points: Count = Field(description="a side of the square grid on which critics are drawn")
    surface_reach: float = Field(gt=0, description="half the side of that square")
    thresholds: ClippingThresholds

    title = "What clipping does to the critic"
    claims: ClassVar[Mapping[str, str]] = {
        "wgan.clipping.vanishing": "If the clipping limit is small, gradients vanish on their way through the"
        " critic's layers (section 3).",
        "wgan.clipping.slow": "If the clipping limit is large, weights take long to reach it, which makes it"
        " harder to train the critic to optimality (section 3).",
        "wgan.clipping.extremes": "Clipping drives most weights to the ends of what it allows (Gulrajani et"
        " al. 2017, figure 1b).",
        "wgan.clipping.penalty": "The gradient penalty keeps the norm of the critic's gradient near 1"
        " (Gulrajani et al. 2017, section 4).",
        "wgan.clipping.simple": "Clipped critics stay too simple for the data, and the penalised one does not"
        " (Gulrajani et al. 2017, section 3.1, figure 1a).",
    }
    caption = (
        "Above: values of trained critics, brighter for more real, each with 16 levels over its own range,"
        " and samples of the data in orange; first seed. Below: the norm of the score's gradient by the input"
        " and by the outputs of each hidden layer (geometric mean over seeds), and the share of weights at"
        " the clipping limit (mean over seeds)."
    )

    @model_validator(mode="after")
    def _check_methods(self) -> Self:
        if (self.clipped.objective.name, self.penalised.objective.name) != ("wgan", "wgan-gp"):
            raise ValueError("clipped should be a wgan and penalised a wgan-gp")
        if list(self.clip_values) != sorted(set(self.clip_values)):
            raise ValueError("clip_values should grow")
        return self

    def cells(self) -> list[Critic]:
        """All critics to train: clipped by limit and n_critic, then the penalised one."""
        cells = []
        for row, clip_value in enumerate(self.clip_values):
            for column, n_critic in enumerate(self.n_critics):
                changes = {"clip_value": clip_value, "n_critic": n_critic}
                objective = self.clipped.objective.model_copy(update=changes)
                method = self.clipped.model_copy(update={"objective": objective})
                cells.append(Critic(clipped_key(clip_value, n_critic), method, clip_value, row, column))
        return [*cells, Critic(PENALTY, self.penalised)]

    def run(self, seed: int) -> dict[str, Any]:
        """By cell: gradients by layer, clipped share, coverage, and the critic's values on a grid."""
        shape = SHAPES[self.shape]()
        cases: dict[str, Any] = {}
        for number, cell in enumerate(self.cells()):
            random = random_source(seed, number)
            training, samples, coverage = self.train_pair(cell.method, shape, random, self.critic_deviation)
            critic = training.critic
            places = torch.cat((shape.sample(self.samples, random), samples))
            cases[cell.key] = {
                "gradients": gradients_by_layer(critic, places),
                "clipped_share": None if cell.clip_value is None else clipped_share(critic, cell.clip_value),
                "clipped_share_at_start": self._share_at_start(cell, random_source(seed, number)),
                **coverage,
                "surface": value_surface(critic, self.surface_points, self.surface_reach),
            }
        return {"seed": seed, "cells": cases}

    def _share_at_start(self, cell: Critic, random: Random) -> float | None:
        """The share of weights that are at the limit before any training."""
        if cell.clip_value is None:
            return None
        training = new_critic(cell.method, 2, self.width, self.layers, random, self.critic_deviation)
        return clipped_share(training.critic, cell.clip_value)

    def summarize(self, results: Sequence[Result]) -> Iterator[Finding]:
        """What the smallest, middle and largest limits do, and the penalty."""
        limits, (small, middle, large) = self.thresholds, self.clip_values
        for n in self.n_critics:
            yield self._vanishing(results, small, n)
        for n in self.n_critics:
            yield self._at_limit(results, "wgan.clipping.slow", limits.slow, large, n)
        for n in self.n_critics:
            yield self._at_limit(results, "wgan.clipping.extremes", limits.extremes, middle, n)
        norm = student_interval([r["cells"][PENALTY]["gradients"][0] for r in results])
        yield finding(
            "wgan.clipping.penalty",
            "penalty",
            "norm of the critic's gradient, mean over data and samples",
            norm,
            limits.unit_norm,
            f"Under the penalty, the critic's gradient has a norm of {norm.value:.2f} on average.",
        )
        for clip_value in self.clip_values:
            yield self._simple(results, clip_value)

    def _vanishing(self, results: Sequence[Result], clip_value: float, n_critic: int) -> Finding:
        layers = [r["cells"][clipped_key(clip_value, n_critic)]["gradients"] for r in results]
        left = geometric_interval([norms[0] / max(norms[-1], 1e-300) for norms in layers])
        return finding(
            "wgan.clipping.vanishing",
            f"clipped at {clip_value:g}, n_critic {n_critic}",
            "norm of the score's gradient at the input over that at the last hidden layer (geometric mean)",
            left,
            self.thresholds.vanishing,
            f"Clipped at {clip_value:g}, {left.value:.1e} of the gradient at the last hidden layer reaches"
            f" the input.",
        )

    def _at_limit(
        self, results: Sequence[Result], claim: str, bound: Bound, clip_value: float, n_critic: int
    ) -> Finding:
        key = clipped_key(clip_value, n_critic)
        share = student_interval([r["cells"][key]["clipped_share"] for r in results])
        return finding(
            claim,
            f"clipped at {clip_value:g}, n_critic {n_critic}",
            f"share of weights at the limit after {self.steps * n_critic:,} critic steps",
            share,
            bound,
            f"Clipped at {clip_value:g}, {share.value:.0%} of the weights lie at the limit after"
            f" {self.steps * n_critic:,} critic steps.",
        )

    def _simple(self, results: Sequence[Result], clip_value: float) -> Finding:
        keys = [clipped_key(clip_value, n_critic) for n_critic in self.n_critics]
        clipped = [sum(r["cells"][key]["good_share"] for key in keys) / len(keys) for r in results]
        penalised = [r["cells"][PENALTY]["good_share"] for r in results]
        more = student_interval([p - c for p, c in zip(penalised, clipped, strict=True)])
        return finding(
            "wgan.clipping.simple",
            f"{SHAPES[self.shape]().title}, clipped at {clip_value:g}",
            "share of good samples, penalty minus clipped (mean over n_critic), of the same seed",
            more,
            self.thresholds.simple,
            f"{sum(penalised) / len(results):.0%} of the samples are good under the penalty, and"
            f" {sum(clipped) / len(results):.0%} where weights are clipped at {clip_value:g}.",
        )

    def table(self, results: Sequence[Result]) -> Table:
        """One row a cell: means over seeds."""
        names = ["the input", *(f"hidden layer {n}" for n in range(1, self.layers + 1))]
        rows: list[Row] = []
        for cell in self.cells():
            cases = [r["cells"][cell.key] for r in results]
            shares = [
                "" if cell.clip_value is None else fmean([case[key] for case in cases])
                for key in ("clipped_share_at_start", "clipped_share")
            ]
            row: Row = {
                "critic": cell.name,
                "n_critic": cell.method.objective.n_critic,
                "share of weights at the limit at the start": shares[0],
                "share of weights at the limit": shares[1],
                "modes covered": fmean([case["covered"] for case in cases]),
                "share of good samples": fmean([case["good_share"] for case in cases]),
            }
            for i, name in enumerate(names):
                norm = geometric_interval([case["gradients"][i] for case in cases])
                row[f"gradient's norm at {name} (geometric mean)"] = norm.value
            rows.append(row)
        return Table(f"Critics after {self.steps:,} generator updates", rows)

    def figure(self, results: Sequence[Result]) -> Figure:
        """The figure that the caption describes."""
        return clipping_figure(self.cells(), self.shape, self.surface_reach, results)


def clipped_key(clip_value: float, n_critic: int) -> str:
    """What a clipped cell is called in results."""
    return f"{clip_value:g}/{n_critic}"


def gradients_by_layer(critic: Scores, points: Tensor) -> list[float]:
    """The norm of the score's gradient by the input and by each hidden layer's outputs, mean over points."""
    features = [points.detach().requires_grad_(True)]
    outputs = features[0]
    for layer in critic:
        outputs = layer(outputs)
        if isinstance(layer, nn.ReLU):
            features.append(outputs)
    gradients = torch.autograd.grad(outputs.sum(), features)
    return [float(gradient.norm(dim=1).mean()) for gradient in gradients]


@torch.no_grad()
def value_surface(critic: Scores, points: int, reach: float) -> list[list[int]]:
    """The critic's scores on a grid over [-reach, reach]^2, shifted and scaled to 0..255; rows go up in y."""
    side = torch.linspace(-reach, reach, points)
    y, x = torch.meshgrid(side, side, indexing="ij")
    scores = critic(torch.stack((x.flatten(), y.flatten()), dim=1)).double().view(points, points)
    spread = float(scores.max() - scores.min())
    scaled = (scores - scores.min()) / (spread if spread > 0 else 1.0)
    return [[round(255 * value) for value in row] for row in scaled.tolist()]
