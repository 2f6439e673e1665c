"""Parallel lines: what the distances between them are, and what trained critics make of them.

Example 1 and figure 1 of Arjovsky, Chintala & Bottou 2017: (0, Z) against (theta, Z), Z uniform in [0, 1].
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from srcli.reproduction.intervals import student_interval, wilson
from srcli.reproduction.studies.figures import distances_figure
from srcli.reproduction.studies.networks import Random, random_source
from srcli.reproduction.studies.settings import Bound, Count, Layers, Method, Methods, Settings, Width
from srcli.reproduction.studies.study import (
    Result,
    Row,
    Study,
    Table,
    finding,
    regression,
    regression_findings,
)
from srcli.reproduction.studies.training import CriticTraining, Sampler, new_critic
from srcli.reproduction.verdicts import Finding
from srcli.reproduction.wording import WASSERSTEIN

LOG_2 = math.log(2)


class Distances(NamedTuple):
    """Four distances between two distributions; KL and JS in nats."""

    em: float
    js: float
    kl: float
    tv: float


def between_lines(theta: float) -> Distances:
    """The distances between the lines at 0 and at theta (the paper's Example 1)."""
    if theta == 0:
        return Distances(0.0, 0.0, 0.0, 0.0)
    return Distances(abs(theta), LOG_2, math.inf, 1.0)


class DistancesThresholds(Settings):
    """What has to be measured for the claims to hold."""

    em_r2: Bound = Field(description="R2 of the clipped and the penalised critic's estimates on |theta|")
    em_slope: Bound = Field(description="slope of the penalised critic's estimate on |theta|")
    js_share: Bound = Field(description="the GAN critic's JS estimate over log 2, mean over theta not 0")
    sign_seeds: Bound = Field(description="share of seeds in which the gradient points to 0 at every theta")
    gradient_size: Bound = Field(description="size of the gradient of the penalised critic, mean over theta")
    saturated_size: Bound = Field(description="size of the saturating GAN gradient, mean over theta")


class DistancesStudy(Study):
    """One critic of each kind per theta, trained to near optimality; theta is the generator's one weight."""

    study: Literal["distances"]
    thetas: Annotated[tuple[float, ...], Field(min_length=3, strict=False)]
    methods: Methods
    critic_width: Width
    critic_layers: Layers
    critic_steps: Count
    evaluation_points: Count
    thresholds: DistancesThresholds

    title = "Distances between parallel lines"
    claims: ClassVar[Mapping[str, str]] = {
        "wgan.distances.continuous": "The EM distance between two lines grows with their distance, and a"
        " trained Wasserstein critic reports it (Example 1, figure 1 left).",
        "wgan.distances.js-flat": "The JS divergence between disjoint lines is log 2 however near they are,"
        " and a trained GAN critic reports that (Example 1, figure 1 right).",
        "wgan.distances.gradient": "The EM distance gives the generator a gradient that leads it to the data,"
        " where the JS divergence gives none (Example 1).",
    }
    caption = (
        "Left: the EM distance between the lines, and what Wasserstein critics report of it; the clipped"
        " critic's is scaled to fit, since clipping leaves its slope open. Middle: the JS divergence, and the"
        " GAN critic's estimate. Right: the derivative by theta of the generator's loss that each critic"
        " gives; descent moves towards 0 where it has the sign of theta. log(1 - D) has the gradient of the"
        " JS divergence; -log D, shown as gan, has not, and leads to the data too. The axis is linear"
        " within 0.001 and logarithmic beyond. Dots are means over seeds; bands and bars reach from the"
        " lowest to the highest."
    )

    def run(self, seed: int) -> dict[str, Any]:
        """What each objective's critics report, and the derivatives they give, by theta."""
        critics = {name: self._critics(method, seed) for name, method in self.methods.by_name().items()}
        result: dict[str, Any] = {
            name: {
                "estimates": self._each(self._wasserstein, of_name),
                "gradients": self._each(self._gradient, of_name),
            }
            for name, of_name in critics.items()
        }
        result["gan"]["estimates"] = self._each(self._js, critics["gan"])
        saturating = partial(self._gradient, loss=CriticTraining.saturating_loss)
        result["gan"]["saturating_gradients"] = self._each(saturating, critics["gan"])
        return {"seed": seed, "thetas": list(self.thetas), **result}

    def _critics(self, method: Method, seed: int) -> list[CriticTraining]:
        """A trained critic per theta."""
        critics = []
        for number, theta in enumerate(self.thetas):
            random = random_source(seed, number)
            training = new_critic(method, 2, self.critic_width, self.critic_layers, random)
            training.run(line(0.0), line(theta), self.critic_steps, self.batch_size)
            critics.append(training)
        return critics

    def _each(
        self, measure: Callable[[CriticTraining, float], float], critics: Sequence[CriticTraining]
    ) -> list[float]:
        return [measure(*pair) for pair in zip(critics, self.thetas, strict=True)]

    def _wasserstein(self, training: CriticTraining, theta: float) -> float:
        loss = training.critic_loss(line(0.0), line(theta), self.evaluation_points)
        return float(loss.terms["wasserstein"].detach())

    def _js(self, training: CriticTraining, theta: float) -> float:
        """`log 2 - J_D / 2`, which an optimal critic brings up to JS (Goodfellow et al. 2014, theorem 1)."""
        loss = training.critic_loss(line(0.0), line(theta), self.evaluation_points)
        return LOG_2 - float(loss.total.detach()) / 2

    def _gradient(
        self,
        training: CriticTraining,
        theta: float,
        loss: Callable[[CriticTraining, Tensor], Tensor] = CriticTraining.generator_loss,
    ) -> float:
        """The derivative by theta of a loss of the generator."""
        weight = torch.tensor(theta, requires_grad=True)
        z = torch.rand(self.evaluation_points, generator=training.random)
        fake = torch.stack((weight.expand_as(z), z), dim=1)
        return float(torch.autograd.grad(loss(training, fake), weight)[0])

    def summarize(self, results: Sequence[Result]) -> Iterator[Finding]:
        """Whether estimates follow the distances, and gradients lead to the data."""
        limits, sizes = self.thresholds, [abs(theta) for theta in self.thetas]
        lines = {name: [regression(sizes, r[name]["estimates"]) for r in results] for name in WASSERSTEIN}
        yield from regression_findings(
            "wgan.distances.continuous",
            "parallel lines",
            "|theta|",
            lines,
            dict.fromkeys(WASSERSTEIN, limits.em_r2),
            limits.em_slope,
        )
        js = student_interval([self._mean_size(r["gan"]["estimates"]) / LOG_2 for r in results])
        yield finding(
            "wgan.distances.js-flat",
            "parallel lines, gan",
            "JS estimate over log 2, mean over theta other than 0",
            js,
            limits.js_share,
            f"However near the lines, the GAN critic reports {js.value:.1%} of log 2 on average.",
        )
        yield from self._gradient_findings(results)

    def _gradient_findings(self, results: Sequence[Result]) -> Iterator[Finding]:
        claim = "wgan.distances.gradient"
        for name in WASSERSTEIN:
            gradients = [zip(r[name]["gradients"], self.thetas, strict=True) for r in results]
            led = [all(slope * theta > 0 for slope, theta in of_seed if theta) for of_seed in gradients]
            yield finding(
                claim,
                f"parallel lines, {name}",
                "share of seeds in which the gradient points to the data at every theta",
                wilson(sum(led), len(led)),
                self.thresholds.sign_seeds,
                f"In {sum(led)} of {len(led)} seeds, the {name} critic's gradient leads to the data from"
                " every theta.",
            )
        size = student_interval([self._mean_size(r["wgan-gp"]["gradients"]) for r in results])
        yield finding(
            claim,
            "parallel lines, wgan-gp",
            "size of the derivative by theta, mean over theta other than 0; EM's is 1",
            size,
            self.thresholds.gradient_size,
            f"The penalised critic gives a derivative of size {size.value:.2f}, where the EM distance has 1.",
        )
        saturated = student_interval([self._mean_size(r["gan"]["saturating_gradients"]) for r in results])
        yield finding(
            claim,
            "parallel lines, gan, saturating",
            "size of the derivative by theta, mean over theta other than 0; JS's is 0",
            saturated,
            self.thresholds.saturated_size,
            f"Through log(1 - D), the trained GAN critic leaves a derivative of size {saturated.value:.1e}.",
        )

    def _mean_size(self, values: Sequence[float]) -> float:
        """The mean size of the values at theta other than 0."""
        sizes = [abs(value) for value, theta in zip(values, self.thetas, strict=True) if theta != 0]
        return sum(sizes) / len(sizes)

    def table(self, results: Sequence[Result]) -> Table:
        """One row a theta: exact distances, and the means over seeds of what critics report."""

        def mean(name: str, key: str, place: int) -> float:
            return fmean([r[name][key][place] for r in results])

        rows: list[Row] = []
        for i, theta in enumerate(self.thetas):
            exact = between_lines(theta)
            rows.append(
                {
                    "theta": theta,
                    "EM": exact.em,
                    "WGAN-GP critic's estimate": mean("wgan-gp", "estimates", i),
                    "clipped WGAN critic's estimate (unknown scale)": mean("wgan", "estimates", i),
                    "JS (nats)": exact.js,
                    "GAN critic's JS estimate (nats)": mean("gan", "estimates", i),
                    "KL (nats)": exact.kl,
                    "TV": exact.tv,
                    "d/dtheta, WGAN-GP": mean("wgan-gp", "gradients", i),
                    "d/dtheta, WGAN": mean("wgan", "gradients", i),
                    "d/dtheta, GAN, -log D": mean("gan", "gradients", i),
                    "d/dtheta, GAN, log(1 - D)": mean("gan", "saturating_gradients", i),
                }
            )
        return Table("Distances between parallel lines: exact, and as critics report them", rows)

    def figure(self, results: Sequence[Result]) -> Figure:
        """The figure that the caption describes."""
        return distances_figure(self.thetas, results)


def line(theta: float) -> Sampler:
    """The uniform distribution on the line from (theta, 0) to (theta, 1)."""

    def sample(count: int, random: Random) -> Tensor:
        return torch.stack((torch.full((count,), theta), torch.rand(count, generator=random)), dim=1)

    return sample
