"""The DCGAN generator and critic: strided and transposed 5x5 convolutions."""

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from srcli.data.task import Sizes, Task
from srcli.models.kernels.strided import DoublingConv2d, HalvingConv2d
from srcli.models.layers import (
    Activation,
    Flatten,
    NetworkSettings,
    Normalization,
    Scores,
    Width,
    activation,
    doubling_mistakes,
    finish,
    halving_mistakes,
    initialize_normal,
)

NOISE_SIZE = 128


class DcganGenerator(NetworkSettings):
    """Two convolutions down to a quarter of the size and transposed ones up, four of them by default.

    From noise (figure 5) a linear layer to maps of 4 to 7 pixels takes the place of the two convolutions.
    """

    architecture: Literal["dcgan"]
    input: Literal["low_res", "noise"] = "low_res"
    width: Width = Field(default=64, description="channels before the last convolution")
    normalization: Literal["batch", "none"] = "batch"
    activation: Activation = "relu"

    def sizes(self, task: Task) -> Sizes:
        """What the network takes."""
        noise_size = NOISE_SIZE if self.input == "noise" else None
        return Sizes(scale=task.scale, noise_size=noise_size, size_multiple=4, context=16)

    def mistakes(self, task: Task) -> list[str]:
        """From noise, labels must be doublings of a small map; else inputs are halved twice, then doubled."""
        if self.input == "noise":
            return halving_mistakes(task)
        if task.input_size % 4:
            return [f"architecture: inputs should be a multiple of 4 pixels, not {task.input_size}"]
        return doubling_mistakes(task)

    def build(self, task: Task) -> nn.Module:
        """The network, initialised.

        From (B, 3, h, w) in [-1, 1], h and w multiples of 4, to (B, 3, scale h, scale w); from noise (B, 128)
        to (B, 3, H, H).
        """
        doublings = task.halvings if self.input == "noise" else 2 + task.doublings
        widths = _widths(self.width, doublings)[::-1]
        layers = self._deepest_maps(widths[0], task.label_size >> doublings)
        for inputs, outputs in pairwise(widths):
            layers += [DoublingConv2d(inputs, outputs), *self._finish(outputs)]
        network = nn.Sequential(*layers, DoublingConv2d(widths[-1], 3), nn.Tanh())
        initialize_normal(network)
        return network.to(memory_format=torch.channels_last)

    def _deepest_maps(self, channels: int, side: int) -> list[nn.Module]:
        if self.input == "noise":
            linear = nn.Linear(NOISE_SIZE, channels * side**2)
            return [linear, nn.Unflatten(1, (channels, side, side)), *self._finish(channels)]
        middle = channels // 2
        halved = [HalvingConv2d(3, middle), *self._finish(middle)]
        return [*halved, HalvingConv2d(middle, channels), *self._finish(channels)]

    def _finish(self, channels: int) -> list[nn.Module]:
        return finish(self.normalization, self.activation, channels)


class DcganCritic(NetworkSettings):
    """Convolutions down to 4 to 7 pixels, four from 64x64 to 4x4, and a linear layer to one score."""

    architecture: Literal["dcgan"]
    width: Width = Field(default=64, description="channels after the first convolution")
    normalization: Normalization = "batch"
    activation: Activation = "leaky_relu"

    def mistakes(self, task: Task) -> list[str]:
        """Labels must be halved without a rest."""
        return halving_mistakes(task)

    def build(self, task: Task) -> nn.Module:
        """The network, initialised: (B, 3, H, H) in [-1, 1] to scores (B,), higher for more real."""
        widths = _widths(self.width, task.halvings)
        layers: list[nn.Module] = [HalvingConv2d(3, widths[0]), activation(self.activation)]
        for inputs, outputs in pairwise(widths):
            layers += [HalvingConv2d(inputs, outputs), *finish(self.normalization, self.activation, outputs)]
        values = widths[-1] * (task.label_size >> task.halvings) ** 2
        network = Scores(*layers, Flatten(), nn.Linear(values, 1))
        initialize_normal(network)
        return network.to(memory_format=torch.channels_last)


def _widths(first: int, count: int) -> list[int]:
    """Twice as many channels in each convolution as in the one before, up to eight times the first's."""
    return [first * min(2**place, 8) for place in range(count)]
