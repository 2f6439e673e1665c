"""Critics and generators of points, trained with the objectives that faces are trained with."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srcli.models.layers import Scores
from srcli.objectives import Loss
from srcli.reproduction.studies.networks import Random, build_critic, build_generator
from srcli.reproduction.studies.settings import AdversarialObjective, Method

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


@dataclass(frozen=True)
class Networks:
    """The sizes of a generator and a critic of points in the plane.

    `critic_deviation` is that of the critic's weights at the start; None for He et al.'s (2015).
    """

    noise: int
    width: int
    layers: int
    critic_deviation: float | None = None


def train_pair(
    method: Method, networks: Networks, real: Sampler, steps: int, batch_size: int, random: Random
) -> tuple[CriticTraining, nn.Module]:
    """A critic and a generator of points in the plane after `steps` updates of the generator."""
    playing = new_critic(method, 2, networks.width, networks.layers, random, networks.critic_deviation)
    generator = build_generator(networks.noise, 2, networks.width, networks.layers, random)
    optimizer = method.optimizer.build(generator.parameters())

    def noise() -> Tensor:
        return torch.randn(batch_size, networks.noise, generator=random)

    for step in range(steps):
        rate = method.optimizer.rate(step, steps)
        for group in (*playing.optimizer.param_groups, *optimizer.param_groups):
            group["lr"] = rate
        for _ in range(method.objective.n_critic):
            with torch.no_grad():
                fake = generator(noise())
            playing.step(real(batch_size, random), fake)
        loss = method.objective.generator_loss(playing.critic, generator(noise()), None)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
    return playing, generator
