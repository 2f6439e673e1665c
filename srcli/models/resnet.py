"""The ResNet generator: residual blocks from the input's size to the label's, upsampling between."""

from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from srcli.data.task import Sizes, Task
from srcli.models.layers import (
    Activation,
    NetworkSettings,
    Width,
    activation,
    doubling_mistakes,
    finish,
    initialize_srez,
)

BRANCH_FACTOR, RELU_FACTOR = 1e-3, 2.0
"""Variances in srez, relative to those that keep a linear layer's: branches begin near the identity."""
OUTPUT_FACTOR = 0.25
"""srez's sigmoid over [0, 1] is tanh of half its argument over [-1, 1]; so half of its deviation."""


class ResnetGenerator(NetworkSettings):
    """A pre-activation residual block (He et al. 2016) at every size and three convolutions to RGB."""

    architecture: Literal["resnet"]
    widths: Annotated[tuple[Width, ...], Field(strict=False, min_length=2, max_length=5)] = (256, 128, 96)
    normalization: Literal["batch", "none"] = "batch"
    activation: Activation = "relu"

    def sizes(self, task: Task) -> Sizes:
        """What the network takes; what lies beyond the input's size adds less and less to its reach."""
        return Sizes(scale=task.scale, context=6)

    def mistakes(self, task: Task) -> list[str]:
        """There is a block, and a width, for every size."""
        wanted = task.doublings + 1
        if task.scale.bit_count() == 1 and len(self.widths) != wanted:
            found = len(self.widths)
            return [f"widths: task.scale {task.scale} needs {wanted}, one for each size, not {found}"]
        return doubling_mistakes(task)

    def build(self, _task: Task) -> nn.Module:
        """The network, initialised: (B, 3, h, w) in [-1, 1] to (B, 3, scale h, scale w)."""
        high = self.widths[-1]
        head, head_1x1 = nn.Conv2d(high, high, 3, padding=1), nn.Conv2d(high, high, 1)
        to_rgb = nn.Conv2d(high, 3, 1)
        body = [nn.Conv2d(3, self.widths[0], 1), self._block(self.widths[0])]
        for inputs, outputs in pairwise(self.widths):
            body += [*self._double(inputs, outputs), self._block(outputs)]
        heads = [head, activation(self.activation), head_1x1, activation(self.activation)]
        network = nn.Sequential(*body, *heads, to_rgb, nn.Tanh())
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
        convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
        return [*finish(self.normalization, self.activation, inputs), convolution]


class Residual(nn.Sequential):
    """A sequence of layers whose output is added to its input."""

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape as the input's."""
        change: Tensor = super().forward(features)  # type: ignore[no-untyped-call]
        return features + change
