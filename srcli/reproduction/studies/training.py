"""Critics and generators of points, trained with the objectives that faces are trained with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from srcli.models.layers import Scores
from srcli.objectives import Loss
from srcli.reproduction.studies.networks import Random, build_critic, build_generator
from srcli.reproduction.studies.settings import AdversarialObjective, Count, Layers, Method, Width
from srcli.reproduction.studies.shapes import Shape
from srcli.reproduction.studies.study import Study

Sampler = Callable[[int, Random], Tensor]
"""From a count and a source of random numbers to that many points (count, D)."""


@dataclass(frozen=True)
class CriticTraining:
    """A critic in training; `random` draws where on the segments from real to fake the penalty looks."""

    objective: AdversarialObjective
    critic: Scores
    optimizer: torch.optim.Optimizer
    random: Random

    def step(self, real: Tensor, fake: Tensor) -> Loss:
        """One update on real and fake points (B, D); the loss before it."""
        epsilon = torch.rand(len(real), generator=self.random)
        loss = self.objective.critic_loss(self.critic, real, fake, epsilon)
        self.optimizer.zero_grad()
        loss.total.backward()
        self.optimizer.step()
        self.objective.after_critic_step(self.critic)
        return loss

    def run(self, real: Sampler, fake: Sampler, steps: int, batch_size: int) -> None:
        """Updates on fresh batches of two distributions that stay as they are."""
        for _ in range(steps):
            self.step(real(batch_size, self.random), fake(batch_size, self.random))

    def critic_loss(self, real: Sampler, fake: Sampler, count: int) -> Loss:
        """The critic's loss on `count` fresh points of each distribution, without an update."""
        epsilon = torch.rand(count, generator=self.random)
        points = real(count, self.random), fake(count, self.random)
        return self.objective.critic_loss(self.critic, *points, epsilon)

    def generator_loss(self, fake: Tensor) -> Tensor:
        """The generator's loss that the objective has."""
        return self.objective.generator_loss(self.critic, fake, None).total

    def saturating_loss(self, fake: Tensor) -> Tensor:
        """The generator's loss that saturates; see `saturating_loss`."""
        return saturating_loss(self.critic, fake)


def new_critic(
    method: Method, inputs: int, width: int, layers: int, random: Random, deviation: float | None = None
) -> CriticTraining:
    """A critic at the start of its training, with clipped weights where the objective clips.

    `deviation` is that of its weights at the start; None for He et al.'s (2015).
    """
    critic = build_critic(inputs, width, layers, random, deviation)
    method.objective.after_critic_step(critic)
    return CriticTraining(method.objective, critic, method.optimizer.build(critic.parameters()), random)


def saturating_loss(critic: nn.Module, fake: Tensor) -> Tensor:
    """`E[log(1 - s(D(G(z))))]`, the generator's loss of Goodfellow et al. 2014, equation 1."""
    return -F.softplus(critic(fake)).mean()


class PairStudy(Study):
    """A study of critics and generators of points in the plane that are trained together."""

    noise: Count
    width: Width
    layers: Layers
    steps: Count
    samples: Count = Field(description="samples of a trained generator that are measured")
    enough: Count = Field(description="good samples that a mode needs to count as covered")
    within: float = Field(gt=0, description="deviations from the nearest centre at which a sample is good")

    def train_pair(
        self, method: Method, shape: Shape, random: Random, deviation: float | None = None
    ) -> tuple[CriticTraining, Tensor, dict[str, Any]]:
        """A critic, `samples` (N, 2) of its generator after `steps` updates, and how they cover the shape.

        `deviation` is that of the critic's weights at the start; None for He et al.'s (2015).
        """
        playing = new_critic(method, 2, self.width, self.layers, random, deviation)
        generator = build_generator(self.noise, 2, self.width, self.layers, random)
        optimizer = method.optimizer.build(generator.parameters())

        def fake(count: int) -> Tensor:
            points: Tensor = generator(torch.randn(count, self.noise, generator=random))
            return points

        for step in range(self.steps):
            rate = method.optimizer.rate(step, self.steps)
            for group in (*playing.optimizer.param_groups, *optimizer.param_groups):
                group["lr"] = rate
            for _ in range(method.objective.n_critic):
                with torch.no_grad():
                    outputs = fake(self.batch_size)
                playing.step(shape.sample(self.batch_size, random), outputs)
            loss = playing.generator_loss(fake(self.batch_size))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            samples = fake(self.samples)
        return playing, samples, shape.coverage(samples, self.enough, self.within)._asdict()
