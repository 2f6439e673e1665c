"""The DCGAN generator and critic: strided and transposed 5x5 convolutions."""

from itertools import pairwise
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from srcli.data.task import Sizes
from srcli.models.kernels.strided import DoublingConv2d, HalvingConv2d
from srcli.models.layers import (
    Activation,
    Flatten,
    Normalization,
    Scores,
    Width,
    activation,
    initialize_normal,
    normalization,
)

NOISE_SIZE = 128


class DcganGenerator(BaseModel):
    """Two convolutions down to a quarter of the size, four transposed convolutions up to four times it.

    From noise (figure 5) a linear layer takes the place of the two convolutions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: Literal["dcgan"]
    input: Literal["low_res", "noise"] = "low_res"
    width: Width = Field(default=64, description="channels before the last convolution")
    normalization: Literal["batch", "none"] = "batch"
    activation: Activation = "relu"

    @property
    def sizes(self) -> Sizes:
        """What the network takes."""
        noise_size = NOISE_SIZE if self.input == "noise" else None
        return Sizes(noise_size=noise_size, size_multiple=4, context=16)

    def build(self) -> nn.Module:
        """The network, initialised.

        From (B, 3, h, w) in [-1, 1], h and w multiples of 4, to (B, 3, 4h, 4w); from noise (B, 128) to
        (B, 3, 64, 64).
        """
        widths = [self.width * factor for factor in (8, 4, 2, 1)]
        from_noise = self.input == "noise"
        layers = self._from_noise(widths[0]) if from_noise else self._from_low_res(widths[1], widths[0])
        for inputs, outputs in pairwise(widths):
            layers += [DoublingConv2d(inputs, outputs), *self._finish(outputs)]
        network = nn.Sequential(*layers, DoublingConv2d(widths[-1], 3), nn.Tanh())
        initialize_normal(network)
        return network.to(memory_format=torch.channels_last)

    def _from_low_res(self, middle: int, deepest: int) -> list[nn.Module]:
        return [
            HalvingConv2d(3, middle),
            *self._finish(middle),
            HalvingConv2d(middle, deepest),
            *self._finish(deepest),
        ]

    def _from_noise(self, deepest: int) -> list[nn.Module]:
        linear = nn.Linear(NOISE_SIZE, deepest * 4 * 4)
        return [linear, nn.Unflatten(1, (deepest, 4, 4)), *self._finish(deepest)]

    def _finish(self, channels: int) -> list[nn.Module]:
        return [normalization(self.normalization, channels), activation(self.activation)]


class DcganCritic(BaseModel):
    """Four convolutions from 64x64 to 4x4 and a linear layer to one score."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: Literal["dcgan"]
    width: Width = Field(default=64, description="channels after the first convolution")
    normalization: Normalization = "batch"
    activation: Activation = "leaky_relu"

    def build(self) -> nn.Module:
        """The network, initialised: (B, 3, 64, 64) in [-1, 1] to scores (B,), higher for more real."""
        widths = [self.width * factor for factor in (1, 2, 4, 8)]
        layers: list[nn.Module] = [HalvingConv2d(3, widths[0]), activation(self.activation)]
        for inputs, outputs in pairwise(widths):
            layers += [
                HalvingConv2d(inputs, outputs),
                normalization(self.normalization, outputs),
                activation(self.activation),
            ]
        network = Scores(*layers, Flatten(), nn.Linear(widths[-1] * 4 * 4, 1))
        initialize_normal(network)
        return network.to(memory_format=torch.channels_last)
