"""Batch normalisation over part of the rows at hand, or over the rows of all processes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from srcli.training.replicas import Replicas


@contextmanager
def batches_apart(network: nn.Module, size: int) -> Iterator[None]:
    """A block in which a network may be given several batches of `size` rows at once.

    Batch normalisation then takes the statistics of each batch separately and in order, as if they were given
    one after the other. All other layers keep rows apart anyway.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    for layer in layers:
        setattr(layer, "forward", partial(_by_batches, layer.forward, size))  # noqa: B010
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _by_batches(forward: Callable[[Tensor], Tensor], size: int, features: Tensor) -> Tensor:
    return torch.cat([forward(part) for part in features.split(size)])


def synchronize(network: nn.Module, replicas: Replicas) -> None:
    """Replaces every batch normalisation by a `SynchronizedBatchNorm` with the same parameters.

    torch's own SyncBatchNorm needs a GPU.
    """
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(parent, name, SynchronizedBatchNorm(child, replicas))


class SynchronizedBatchNorm(_BatchNorm):
    """`nn.BatchNorm1d` and `nn.BatchNorm2d` over the rows of all processes.

    Every process has as many rows. Names in the state are those of the layer that it replaces.
    """

    def __init__(self, layer: nn.BatchNorm1d | nn.BatchNorm2d, replicas: Replicas) -> None:
        super().__init__(layer.num_features, layer.eps, layer.momentum, layer.affine)
        self.weight, self.bias = layer.weight, layer.bias
        self.running_mean, self.running_var = layer.running_mean, layer.running_var
        self.num_batches_tracked = layer.num_batches_tracked
        self._replicas = replicas

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, C, ...) of the same shape, normalised channel by channel."""
        if not self.training:
            return F.batch_norm(
                features, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        values = features.to(torch.promote_types(features.dtype, torch.float32))
        mean, variance = self._statistics(values)
        self._track(mean, variance, values.numel() // self.num_features)
        shape = (1, -1) + (1,) * (values.dim() - 2)
        scale = torch.rsqrt(variance + self.eps)
        if self.weight is not None:
            scale = self.weight * scale
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        return torch.addcmul(shift.view(shape), values, scale.view(shape)).to(features.dtype)

    def _statistics(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """The mean and the variance (C,) of every process's values."""
        dimensions = [0, *range(2, values.dim())]
        variance, mean = torch.var_mean(values, dimensions, correction=0)
        # Doubles, because the mean square less the squared mean cancels in single precision.
        local = torch.stack([mean.double(), variance.double() + mean.double().square()])
        mean, square = _Average.apply(local, self._replicas)
        return mean.to(values.dtype), (square - mean.square()).to(values.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, local_count: int) -> None:
        """Moves the running statistics as torch does: the variance is the unbiased one."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        count = local_count * self._replicas.count
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / (count - 1), self.momentum)


class _Average(torch.autograd.Function):
    """The mean over all processes.

    Each process's result depends on the others' values, so a value's gradient is the mean of the gradients of
    all results: the same operation once more, to any order.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, replicas: Replicas) -> Tensor:
        ctx.replicas = replicas
        return replicas.average(values)

    @staticmethod
    def backward(ctx: Any, gradients: Tensor) -> tuple[Tensor, None]:
        return _Average.apply(gradients, ctx.replicas), None
