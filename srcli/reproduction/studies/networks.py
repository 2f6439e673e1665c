"""The small fully connected networks of the studies, initialised from a seed of their own."""

from itertools import pairwise

import torch
from torch import nn

from srcli.models.layers import Scores

Random = torch.Generator


def random_source(seed: int, *purpose: int) -> Random:
    """A source of random numbers that is a function of a seed and of what the numbers are for."""
    value = seed
    for number in purpose:
        value = value * 1_000_003 + number + 1
    return torch.Generator().manual_seed(value % 2**63)


def build_critic(
    inputs: int, width: int, layers: int, random: Random, deviation: float | None = None
) -> Scores:
    """A critic with `layers` hidden ReLU layers: (B, inputs) to scores (B,).

    `deviation` is that of the weights at the start; None for He et al.'s (2015).
    """
    critic = Scores(*_hidden(inputs, width, layers), nn.Linear(width, 1))
    _initialize(critic, random, deviation)
    return critic


def build_generator(noise: int, outputs: int, width: int, layers: int, random: Random) -> nn.Sequential:
    """A generator with `layers` hidden ReLU layers: (B, noise) to (B, outputs)."""
    generator = nn.Sequential(*_hidden(noise, width, layers), nn.Linear(width, outputs))
    _initialize(generator, random, None)
    return generator


def _hidden(inputs: int, width: int, layers: int) -> list[nn.Module]:
    sizes = [inputs] + [width] * layers
    return [part for sides in pairwise(sizes) for part in (nn.Linear(*sides), nn.ReLU())]


def _initialize(network: nn.Module, random: Random, deviation: float | None) -> None:
    """Weights of the given deviation, or of He et al.'s (2015) for ReLU; biases are 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            if deviation is None:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=random)
            else:
                nn.init.normal_(layer.weight, 0.0, deviation, generator=random)
            nn.init.zeros_(layer.bias)
