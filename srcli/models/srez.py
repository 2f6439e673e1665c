"""The networks of srez, the authors' code for their ResNet (MandyZChen/srez, commit d7de14d)."""

from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from srcli.data.task import Sizes, Task
from srcli.models.layers import Activation, NetworkSettings, Normalization, Width, activation, initialize_srez
from srcli.models.resnet import BRANCH_FACTOR, RELU_FACTOR, Residual


class SrezGenerator(NetworkSettings):
    """Two residual blocks at the input's size and two at twice that; none at the output's."""

    architecture: Literal["srez"]
    widths: Annotated[tuple[Width, Width, Width], Field(strict=False)] = (256, 128, 96)
    normalization: Literal["batch", "none"] = "batch"
    activation: Activation = "relu"

    def sizes(self, task: Task) -> Sizes:
        """What the network takes."""
        return Sizes(scale=task.scale, context=8)

    def mistakes(self, task: Task) -> list[str]:
        """Its scale is fixed."""
        if task.scale == 4:
            return []
        return [f"architecture: srez enlarges four times; task.scale should be 4, not {task.scale}"]

    def build(self, _task: Task) -> nn.Module:
        """The network, initialised: (B, 3, h, w) in [-1, 1] to (B, 3, scale h, scale w)."""
        low, middle, high = self.widths
        network = nn.Sequential(
            *self._double(3, low),
            *self._double(low, middle),
            *self._convolve(middle, high, 3),
            *self._convolve(high, high, 1),
            _initialized(nn.Conv2d(high, 3, 1), 1.0),
            SignedSigmoid(),
        )
        return network.to(memory_format=torch.channels_last)

    def _double(self, inputs: int, outputs: int) -> list[nn.Module]:
        # Nearest-neighbour copies leave the batch statistics as they are, so normalising first saves 3/4.
        return [
            _initialized(nn.Conv2d(inputs, outputs, 1), 1.0),
            self._block(outputs),
            self._block(outputs),
            *_normalization(self.normalization, outputs),
            activation(self.activation),
            nn.Upsample(scale_factor=2, mode="nearest"),
            _initialized(nn.Conv2d(outputs, outputs, 3, padding=1), 1.0),
        ]

    def _block(self, channels: int) -> nn.Module:
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [*_normalization(self.normalization, channels), activation(self.activation)]
            layers.append(nn.Conv2d(channels, channels, 3, padding=1))
        return _initialized(Residual(*layers), BRANCH_FACTOR)

    def _convolve(self, inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        return [_initialized(convolution, RELU_FACTOR), activation(self.activation)]


class SrezCritic(NetworkSettings):
    """Four strided convolutions, a 3x3 and a 1x1 convolution, and the mean of a map of scores."""

    architecture: Literal["srez"]
    width: Width = Field(default=64, description="channels after the first convolution")
    normalization: Normalization = "batch"
    activation: Activation = "relu"

    def build(self, _task: Task) -> nn.Module:
        """The network, initialised: (B, 3, H, H) in [-1, 1] to scores (B,), higher for more real."""
        widths = [3, *(self.width * factor for factor in (1, 2, 4, 8))]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += self._convolve(nn.Conv2d(inputs, outputs, 3, stride=2, padding=1))
        last = widths[-1]
        layers += self._convolve(nn.Conv2d(last, last, 3, padding=1))
        layers += self._convolve(nn.Conv2d(last, last, 1))
        network = MeanScore(*layers, _initialized(nn.Conv2d(last, 1, 1), RELU_FACTOR))
        return network.to(memory_format=torch.channels_last)

    def _convolve(self, convolution: nn.Conv2d) -> list[nn.Module]:
        return [
            _initialized(convolution, RELU_FACTOR),
            *_normalization(self.normalization, convolution.out_channels),
            activation(self.activation),
        ]


class MeanScore(nn.Sequential):
    """A sequence of layers that ends in a map of scores, of which the mean is returned."""

    def forward(self, images: Tensor) -> Tensor:
        """Scores (B,) of images (B, 3, H, H)."""
        scores: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
        return scores.mean((1, 2, 3))


class SignedSigmoid(nn.Module):
    """`2 s(x) - 1`: srez's sigmoid over [0, 1], in [-1, 1]."""

    def forward(self, features: Tensor) -> Tensor:
        """Values in [-1, 1] of the same shape."""
        return 2 * torch.sigmoid(features) - 1


class Offset(nn.Module):
    """Adds a number to each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, C, H, W) of the same shape."""
        return features + self.bias.view(-1, 1, 1)


def _normalization(name: Normalization, channels: int) -> list[nn.Module]:
    """srez's normalisation, which has an offset and no scale.

    A scale would be clipped with the critic's weights, from 1 to 0.01 in every layer, and the critic would
    hardly tell anything apart.
    """
    match name:
        case "batch":
            return [nn.BatchNorm2d(channels, eps=1e-3, affine=False), Offset(channels)]
        case "layer":
            return [nn.GroupNorm(1, channels, affine=False), Offset(channels)]
        case "none":
            return []


def _initialized(layer: nn.Module, factor: float) -> nn.Module:
    initialize_srez(layer, factor)
    return layer
