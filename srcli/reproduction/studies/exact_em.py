"""What a trained critic reports against the exact earth mover's distance between the same samples.

Arjovsky, Chintala & Bottou 2017, sections 3 and 4.2: the critic's loss estimates the EM distance, up to a
constant where weights are clipped.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from matplotlib.figure import Figure
from pydantic import Field, model_validator
from torch import Tensor

from srcli.reproduction.studies.figures import exact_em_figure
from srcli.reproduction.studies.networks import Random, random_source
from srcli.reproduction.studies.settings import Bound, Count, Layers, Method, Settings, Width
from srcli.reproduction.studies.shapes import SHAPES, ShapeName
from srcli.reproduction.studies.study import Result, Row, Study, Table, regression, regression_findings
from srcli.reproduction.studies.training import new_critic
from srcli.reproduction.studies.transport import exact_em
from srcli.reproduction.verdicts import Finding

Coordinate = Annotated[float, Field(ge=-100, le=100)]


class Source(Settings):
    """A distribution in the plane, scaled about the origin and then shifted."""

    shape: Literal["gaussian"] | ShapeName
    scale: float = Field(default=1.0, gt=0)
    shift: Annotated[tuple[Coordinate, Coordinate], Field(strict=False)] = (0.0, 0.0)

    def sample(self, count: int, random: Random) -> Tensor:
        """Points (count, 2)."""
        if self.shape == "gaussian":
            points = torch.randn(count, 2, generator=random)
        else:
            points = SHAPES[self.shape]().sample(count, random)
        return self.scale * points + torch.tensor(self.shift)


class Pair(Settings):
    """Two distributions to be told apart."""

    title: str
    real: Source
    fake: Source


class ExactEmThresholds(Settings):
    """What has to be measured for the claim to hold."""

    penalised_r2: Bound = Field(description="R2 of the penalised critic's estimates on exact EM, over pairs")
    penalised_slope: Bound = Field(description="slope of the same line")
    clipped_r2: Bound = Field(description="R2 of the clipped critic's estimates, whose scale is open")


class ExactEmStudy(Study):
    """Per pair, fixed samples of both distributions; critics are trained and measured on them all."""

    study: Literal["exact_em"]
    pairs: Annotated[tuple[Pair, ...], Field(min_length=3, strict=False)]
    points: Count = Field(description="samples of each distribution; exact EM takes their third power")
    methods: Annotated[tuple[Method, Method], Field(strict=False)] = Field(description="clipped, penalised")
    critic_width: Width
    critic_layers: Layers
    critic_steps: Count
    thresholds: ExactEmThresholds

    title = "Critics against the exact earth mover's distance"
    claims: ClassVar[Mapping[str, str]] = {
        "wgan.exact_em.estimate": "A trained critic's loss estimates the EM distance between data and"
        " generator, up to a constant factor where weights are clipped (sections 3 and 4.2).",
    }
    caption = (
        "What a trained critic reports of two sets of points in the plane against the exact EM distance"
        " between them by optimal assignment; one dot per pair of distributions and seed. The dashed line is"
        " equality; the solid line is the least-squares line through all dots."
    )

    @model_validator(mode="after")
    def _check_methods(self) -> Self:
        if tuple(method.objective.name for method in self.methods) != ("wgan", "wgan-gp"):
            raise ValueError("methods should be wgan and wgan-gp, in this order")
        return self

    def run(self, seed: int) -> dict[str, Any]:
        """Exact EM per pair, and what each critic reports."""
        exact: list[float] = []
        estimates: dict[str, list[float]] = {method.objective.name: [] for method in self.methods}
        for number, pair in enumerate(self.pairs):
            real = pair.real.sample(self.points, random_source(seed, number, 0))
            fake = pair.fake.sample(self.points, random_source(seed, number, 1))
            exact.append(exact_em(real, fake))
            for method in self.methods:
                estimate = self._estimate(method, real, fake, random_source(seed, number, 2))
                estimates[method.objective.name].append(estimate)
        return {"seed": seed, "exact": exact, "estimates": estimates}

    def _estimate(self, method: Method, real: Tensor, fake: Tensor, random: Random) -> float:
        """What a critic reports of the points (N, 2) after training on batches of them."""
        training = new_critic(method, 2, self.critic_width, self.critic_layers, random)
        for _ in range(self.critic_steps):
            chosen = torch.randint(self.points, (2, self.batch_size), generator=random)
            training.step(real[chosen[0]], fake[chosen[1]])
        with torch.no_grad():
            return float(training.critic(real).mean() - training.critic(fake).mean())

    def summarize(self, results: Sequence[Result]) -> Iterator[Finding]:
        """Whether estimates follow exact EM, by the lines through each seed's pairs."""
        limits = self.thresholds
        bounds = {"wgan-gp": limits.penalised_r2, "wgan": limits.clipped_r2}
        lines = {name: [regression(r["exact"], r["estimates"][name]) for r in results] for name in bounds}
        subject = f"{len(self.pairs)} pairs in the plane"
        yield from regression_findings(
            "wgan.exact_em.estimate", subject, "exact EM", lines, bounds, limits.penalised_slope
        )

    def table(self, results: Sequence[Result]) -> Table:
        """One row a pair: means over seeds."""
        rows: list[Row] = []
        for i, pair in enumerate(self.pairs):
            mean = {name: fmean([r["estimates"][name][i] for r in results]) for name in ("wgan-gp", "wgan")}
            rows.append(
                {
                    "pair of distributions": pair.title,
                    "exact EM": fmean([r["exact"][i] for r in results]),
                    "WGAN-GP critic's estimate": mean["wgan-gp"],
                    "clipped WGAN critic's estimate (unknown scale)": mean["wgan"],
                }
            )
        return Table(f"Exact EM between {self.points} points, and what critics report", rows)

    def figure(self, results: Sequence[Result]) -> Figure:
        """The figure that the caption describes."""
        return exact_em_figure([pair.title for pair in self.pairs], results)
