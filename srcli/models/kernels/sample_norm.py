"""Normalisation of each sample by itself, with a short second derivative for the gradient penalty."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class SampleNorm(nn.GroupNorm):
    """`GroupNorm(1, C)` of (B, C, ...), whose input gradient can be taken by hand."""

    def __init__(self, channels: int) -> None:
        super().__init__(1, channels)

    def run_with_vjp(self, features: Tensor, count: int) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """The output, and the map from its gradient to that by the features, for the last `count` samples."""
        outputs, seen, mean, rstd = Normalize.apply(features, self.weight, self.bias, self.eps, count)
        return outputs, lambda gradient: NormalizeGradient.apply(gradient, seen, self.weight, mean, rstd)


class Normalize(torch.autograd.Function):
    """`group_norm(x, 1, w, b)`; with it the last samples of x, their means and inverse deviations.

    What follows from the last samples adds its gradient to theirs alone; by slicing x, autograd would make it
    as large as that of all samples, and add all of it.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w: Tensor, b: Tensor, eps: float, count: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = _dense(x)
        outputs, mean, rstd = torch.native_group_norm(x, w, b, *_sizes(x), eps)
        ctx.save_for_backward(x, w, mean, rstd)
        last_mean, last_rstd = mean[-count:], rstd[-count:]
        ctx.mark_non_differentiable(last_mean, last_rstd)
        return outputs, x[-count:], last_mean, last_rstd

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_outputs: Tensor, of_last: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, w, mean, rstd = ctx.saved_tensors
        for_x, for_w, for_b = torch.ops.aten.native_group_norm_backward(
            _dense(of_outputs), x, mean, rstd, w, *_sizes(x), [True, True, True]
        )
        for_x[-len(of_last) :] += of_last
        return for_x, for_w, for_b, None, None


class NormalizeGradient(torch.autograd.Function):
    """The gradient of `sum(u * group_norm(x, 1, w, b))` with respect to x, as a function of u, x and w.

    The means and inverse deviations of x are those that `Normalize` found.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, x: Tensor, w: Tensor, mean: Tensor, rstd: Tensor) -> Tensor:
        u, x = _dense(u), _dense(x)
        ctx.save_for_backward(u, x, w, mean, rstd)
        pulled: tuple[Tensor, ...] = torch.ops.aten.native_group_norm_backward(
            u, x, mean, rstd, w, *_sizes(x), [True, False, False]
        )
        return pulled[0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor | None, ...]:
        """With t = w u, z = (x - mean) / deviation and means over a sample written as E, the gradient is

        `(t - E[t] - z E[t z]) / deviation`.

        It is linear in t and, being a projection, its own transpose; only z and the deviation depend on x.
        """
        u, x, w, mean, rstd = ctx.saved_tensors
        like_x = x
        u, v, x = (_rows(tensor).to(w.dtype) for tensor in (u, v, x))
        rstd = rstd.view(-1, 1, 1)
        z = (x - mean.view(-1, 1, 1)).mul_(rstd)
        t = u * w
        t_mean, v_mean, tz, vz, tv = _mean(t), _mean(v), _mean(t * z), _mean(v * z), _mean(t * v)
        for_t = torch.addcmul(v - v_mean, z, vz, value=-1).mul_(rstd)
        for_w = (u * for_t).sum((0, 1))
        for_x = vz * t
        for_x.addcmul_(tz, v).addcmul_(z, tv - t_mean * v_mean - 3 * tz * vz)
        for_x.sub_(vz * t_mean + tz * v_mean).mul_(-(rstd**2))
        return _like(for_t.mul_(w), like_x), _like(for_x, like_x), for_w, None, None


def _dense(features: Tensor) -> Tensor:
    """The features, channels-last where they are pictures."""
    form = torch.channels_last if features.dim() == 4 else torch.contiguous_format
    return features.contiguous(memory_format=form)


def _sizes(features: Tensor) -> tuple[int, int, int, int]:
    """Samples, channels, pixels and groups, as PyTorch's kernels take them."""
    return len(features), features.shape[1], features[0, 0].numel(), 1


def _rows(features: Tensor) -> Tensor:
    """(B, C, ...) -> (B, pixels, C), a view of channels-last features."""
    return features.movedim(1, -1).reshape(len(features), -1, features.shape[1])


def _like(rows: Tensor, features: Tensor) -> Tensor:
    """The inverse of `_rows`, in the shape and number format of the features."""
    batch, channels, *spatial = features.shape
    return rows.view(batch, *spatial, channels).movedim(-1, 1).to(features.dtype)


def _mean(rows: Tensor) -> Tensor:
    return rows.mean((1, 2), keepdim=True)
