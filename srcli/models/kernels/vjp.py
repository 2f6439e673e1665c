"""Layers with their gradient by their input, as an expression that can be differentiated again."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srcli.models.kernels.sample_norm import SampleNorm
from srcli.models.kernels.strided import HalvingConv2d

Vjp = Callable[[Tensor], Tensor]


def has_vjp(layer: nn.Module) -> bool:
    """Whether `run_with_vjp` takes the layer; of all others autograd finds the gradient."""
    return _kind(layer) in _RUNNERS


def run_with_vjp(layer: nn.Module, features: Tensor, count: int) -> tuple[Tensor, Vjp]:
    """A layer's output, and the map from its gradient to the input's, for the last `count` samples."""
    return _RUNNERS[_kind(layer)](layer, features, count)


def _kind(layer: nn.Module) -> type[nn.Module]:
    """The layer's exact class, since a subclass may compute something else; our Flatten does not."""
    return nn.Flatten if isinstance(layer, nn.Flatten) else type(layer)


def _run_linear(layer: nn.Linear, features: Tensor, _count: int) -> tuple[Tensor, Vjp]:
    return layer(features), lambda gradient: F.linear(gradient, layer.weight.t())


def _run_relu(layer: nn.ReLU | nn.LeakyReLU, features: Tensor, count: int) -> tuple[Tensor, Vjp]:
    slope = layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0
    signs = features[-count:].detach()  # almost everywhere, the slopes do not depend on the features
    return layer(features), lambda gradient: torch.ops.aten.leaky_relu_backward(gradient, signs, slope, False)


def _run_tanh(_layer: nn.Tanh, features: Tensor, count: int) -> tuple[Tensor, Vjp]:
    outputs = torch.tanh(features)
    return outputs, lambda gradient: gradient * (1 - outputs[-count:].square())


def _run_flatten(layer: nn.Flatten, features: Tensor, count: int) -> tuple[Tensor, Vjp]:
    seen = features[-count:]
    form = torch.channels_last if seen.dim() == 4 else torch.contiguous_format
    return layer(features), lambda gradient: gradient.view(seen.shape).contiguous(memory_format=form)


_RUNNERS: Mapping[type[nn.Module], Callable[[Any, Tensor, int], tuple[Tensor, Vjp]]] = {
    HalvingConv2d: lambda layer, features, _: layer.run_with_vjp(features),
    SampleNorm: SampleNorm.run_with_vjp,
    nn.Linear: _run_linear,
    nn.LeakyReLU: _run_relu,
    nn.ReLU: _run_relu,
    nn.Tanh: _run_tanh,
    nn.Flatten: _run_flatten,
    nn.Identity: lambda _layer, features, _count: (features, lambda gradient: gradient),
}
