"""The ResNet generator: residual blocks at 16x16, 32x32 and 64x64, nearest-neighbour upsampling between."""

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from srcli.data.task import Sizes
from srcli.models.layers import Activation, Width, activation, initialize_srez, normalization

BRANCH_FACTOR, RELU_FACTOR = 1e-3, 2.0
"""Variances in srez, relative to those that keep a linear layer's: branches begin near the identity."""
OUTPUT_FACTOR = 0.25
"""srez's sigmoid over [0, 1] is tanh of half its argument over [-1, 1]; so half of its deviation."""


class ResnetGenerator(BaseModel):
    """Three pre-activation residual blocks (He et al. 2016) and three convolutions to RGB."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: Literal["resnet"]
    widths: Annotated[tuple[Width, Width, Width], Field(strict=False)] = (256, 128, 96)
    normalization: Literal["batch", "none"] = "batch"
    activation: Activation = "relu"

    sizes: ClassVar[Sizes] = Sizes(context=6)

    def build(self) -> nn.Module:
        """The network, initialised: (B, 3, h, w) in [-1, 1] to (B, 3, 4h, 4w)."""
        low, middle, high = self.widths
        head, head_1x1 = nn.Conv2d(high, high, 3, padding=1), nn.Conv2d(high, high, 1)
        to_rgb = nn.Conv2d(high, 3, 1)
        network = nn.Sequential(
            nn.Conv2d(3, low, 1),
            self._block(low),
            *self._double(low, middle),
            self._block(middle),
            *self._double(middle, high),
            self._block(high),
            head,
            activation(self.activation),
            head_1x1,
            activation(self.activation),
            to_rgb,
            nn.Tanh(),
        )
        for layer in network:
            initialize_srez(layer, BRANCH_FACTOR if isinstance(layer, Residual) else 1.0)
        for layer in (head, head_1x1):
            initialize_srez(layer, RELU_FACTOR)
        initialize_srez(to_rgb, OUTPUT_FACTOR)
        return network.to(memory_format=torch.channels_last)

    def _block(self, channels: int) -> nn.Module:
        return Residual(*self._convolve(channels, channels), *self._convolve(channels, channels))

    def _double(self, inputs: int, outputs: int) -> list[nn.Module]:
        # Nearest-neighbour copies leave the batch statistics as they are, so normalising first saves 3/4.
        before, after, convolution = self._convolve(inputs, outputs)
        return [before, after, nn.Upsample(scale_factor=2, mode="nearest"), convolution]

    def _convolve(self, inputs: int, outputs: int) -> list[nn.Module]:
        return [
            normalization(self.normalization, inputs),
            activation(self.activation),
            nn.Conv2d(inputs, outputs, 3, padding=1),
        ]


class Residual(nn.Sequential):
    """A sequence of layers whose output is added to its input."""

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape as the input's."""
        change: Tensor = super().forward(features)  # type: ignore[no-untyped-call]
        return features + change
