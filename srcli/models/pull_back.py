"""Layers with their gradient by their input, as an expression that can be differentiated again."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srcli.models.sample_norm import SampleNorm
from srcli.models.strided import HalvingConv2d

PullBack = Callable[[Tensor], Tensor]


def run_with_pull_back(layer: nn.Module, features: Tensor, count: int) -> tuple[Tensor, PullBack]:
    """A layer's output, and the map from an output's gradient to its input's, for the last `count` samples.

    Raises:
        TypeError: The layer is of a kind that no critic under a gradient penalty has.
    """
    seen = features[-count:]
    match layer:
        case HalvingConv2d():
            return layer.run_with_pull_back(features)
        case nn.Linear():
            return layer(features), lambda gradient: F.linear(gradient, layer.weight.t())
        case SampleNorm():
            return layer.run_with_pull_back(features, count)
        case nn.LeakyReLU() | nn.ReLU():
            slope = layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0
            signs = seen.detach()  # almost everywhere, the slopes do not depend on the features
            return layer(features), lambda gradient: torch.ops.aten.leaky_relu_backward(
                gradient, signs, slope, False
            )
        case nn.Tanh():
            outputs = torch.tanh(features)
            return outputs, lambda gradient: gradient * (1 - outputs[-count:].square())
        case nn.Flatten():
            form = torch.channels_last if seen.dim() == 4 else torch.contiguous_format
            return layer(features), lambda gradient: gradient.view(seen.shape).contiguous(memory_format=form)
        case nn.Identity():
            return features, lambda gradient: gradient
        case _:
            raise TypeError(f"no input gradient is known for {layer}")
