"""The ResNet generator: residual blocks at 16x16, 32x32 and 64x64, nearest-neighbour upsampling between."""

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from srcli.models.layers import Activation, Width, activation, initialize_he, normalization


class ResnetGenerator(BaseModel):
    """Three pre-activation residual blocks (He et al. 2016) and three convolutions to RGB."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: Literal["resnet"]
    widths: Annotated[tuple[Width, Width, Width], Field(strict=False)] = (256, 128, 96)
    normalization: Literal["batch", "none"] = "batch"
    activation: Activation = "relu"

    takes_noise: ClassVar[bool] = False
    input_size: ClassVar[None] = None
    size_multiple: ClassVar[int] = 1
    margin: ClassVar[int] = 6

    def build(self) -> nn.Module:
        """The network, initialised: (B, 3, h, w) in [-1, 1] to (B, 3, 4h, 4w)."""
        low, middle, high = self.widths
        network = nn.Sequential(
            nn.Conv2d(3, low, 1),
            self._block(low),
            *self._double(low, middle),
            self._block(middle),
            *self._double(middle, high),
            self._block(high),
            nn.Conv2d(high, high, 3, padding=1),
            activation(self.activation),
            nn.Conv2d(high, high, 1),
            activation(self.activation),
            nn.Conv2d(high, 3, 1),
            nn.Tanh(),
        )
        initialize_he(network)
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
