"""Normalisation of each sample by itself, with a short second derivative for the gradient penalty."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class SampleNorm(nn.GroupNorm):
    """`GroupNorm(1, C)` of (B, C, ...), whose input gradient can be taken by hand."""

    def __init__(self, channels: int) -> None:
        super().__init__(1, channels)

    def pull_back(self, features: Tensor, gradient: Tensor) -> Tensor:
        """The gradient by the features from that by the output, differentiable once more."""
        pulled: Tensor = NormalizeGradient.apply(gradient, features, self.weight, self.eps)
        return pulled


class NormalizeGradient(torch.autograd.Function):
    """The gradient of `sum(u * group_norm(x, 1, w, b))` with respect to x, as a function of u, x and w."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, x: Tensor, w: Tensor, eps: float) -> Tensor:
        dense = torch.channels_last if x.dim() == 4 else torch.contiguous_format
        u, x = u.contiguous(memory_format=dense), x.contiguous(memory_format=dense)
        sizes = len(x), x.shape[1], x[0, 0].numel(), 1
        _, mean, rstd = torch.native_group_norm(x, w, w, *sizes, eps)  # w: for statistics in its precision
        ctx.save_for_backward(u, x, w, mean, rstd)
        pulled, _, _ = torch.ops.aten.native_group_norm_backward(
            u, x, mean, rstd, w, *sizes, [True, False, False]
        )
        result: Tensor = pulled
        return result

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
        return _like(for_t.mul_(w), like_x), _like(for_x, like_x), for_w, None


def _rows(features: Tensor) -> Tensor:
    """(B, C, ...) -> (B, pixels, C), a view of channels-last features."""
    return features.movedim(1, -1).reshape(len(features), -1, features.shape[1])


def _like(rows: Tensor, features: Tensor) -> Tensor:
    """The inverse of `_rows`, in the shape and number format of the features."""
    batch, channels, *spatial = features.shape
    return rows.view(batch, *spatial, channels).movedim(-1, 1).to(features.dtype)


def _mean(rows: Tensor) -> Tensor:
    return rows.mean((1, 2), keepdim=True)
