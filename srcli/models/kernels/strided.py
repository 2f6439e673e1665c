"""The 5x5 convolution of stride 2 that halves a picture, and its transpose that doubles one.

The convolution `y = halve(x, w)` is linear in x and in w, so its derivatives of any order are made of three
maps: `halve` itself, its transpose `double(y, w)`, and the weights' gradient. Each is differentiated by the
other two. Each also has a second kernel for processors, a matrix product over windows copied side by side:
PyTorch's convolution is up to six times slower than that where pictures are small and channels many.

Tensors are channels-last throughout: x is (B, I, 2h, 2w), y is (B, O, h, w), w is (O, I, 5, 5).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KERNEL, STRIDE, PADDING = 5, 2, 2

PRODUCT_PIXELS = 4 * 4
"""Up to this size of y, matrix products are faster than convolutions."""
BF16_GRADIENT_PIXELS, IMAGES_AT_ONCE = 8 * 8, 16
"""The same for the gradient of w in bfloat16, where the windows of so many images just fit the cache."""
SHUFFLED_CHANNELS = 4
"""Up to this many channels of x, `double` is fastest as a convolution to all four pixels at once."""


class HalvingConv2d(nn.Conv2d):
    """A 5x5 convolution of stride 2: (B, I, 2h, 2w) to (B, O, h, w)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, KERNEL, stride=STRIDE, padding=PADDING)

    def forward(self, images: Tensor) -> Tensor:
        """The convolution; on a processor in training, by the kernels of this file."""
        return self.run_with_vjp(images)[0] if _is_trained_on_cpu(self, images) else super().forward(images)

    def run_with_vjp(self, images: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """The convolution, and the map from its output's gradient to its input's, differentiable."""
        cast_images, weight, bias = map(_cast_for_autocast, (images, self.weight, self.bias))
        return Halve.apply(cast_images, weight, bias), lambda gradient: Double.apply(gradient, weight, None)


class DoublingConv2d(nn.ConvTranspose2d):
    """The transpose of a 5x5 convolution of stride 2: (B, O, h, w) to (B, I, 2h, 2w)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, KERNEL, stride=STRIDE, padding=PADDING, output_padding=1)

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """The transposed convolution; on a processor in training, by the kernels of this file."""
        if output_size is not None or not _is_trained_on_cpu(self, images):
            return super().forward(images, output_size)
        doubled: Tensor = Double.apply(*map(_cast_for_autocast, (images, self.weight, self.bias)))
        return doubled


class Halve(torch.autograd.Function):
    """`y = halve(x, w) + b`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
        windows = _windows(x) if _is_small(x.shape[2] // 2, x.shape[3] // 2) else None
        ctx.save_for_backward(x, w, windows)
        return _halve(x, w, b, windows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, w, windows = ctx.saved_tensors
        needs_x, needs_w, needs_b = ctx.needs_input_grad
        for_x = Double.apply(gradient, w, None) if needs_x else None
        for_w = WeightGradient.apply(x, gradient, windows) if needs_w else None
        return for_x, for_w, _rows(gradient).sum(0) if needs_b else None


class Double(torch.autograd.Function):
    """`x = double(y, w) + b`; `double` is the transpose of `halve` for the same weights."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
        ctx.save_for_backward(y, w)
        return _double(y, w, b)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        y, w = ctx.saved_tensors
        needs_y, needs_w, needs_b = ctx.needs_input_grad
        if torch.is_grad_enabled():
            for_y = Halve.apply(gradient, w, None) if needs_y else None
            for_w = WeightGradient.apply(gradient, y, None) if needs_w else None
        else:
            windows = _windows(gradient) if _is_small(y.shape[2], y.shape[3]) else None
            for_y = _halve(gradient, w, None, windows) if needs_y else None
            for_w = _weight_gradient(gradient, y, windows) if needs_w else None
        return for_y, for_w, _rows(gradient).sum(0) if needs_b else None


class WeightGradient(torch.autograd.Function):
    """The gradient of `sum(y * halve(x, w))` with respect to w, which does not depend on w."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, windows: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, y)
        return _weight_gradient(x, y, windows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, y = ctx.saved_tensors
        needs_x, needs_y, _ = ctx.needs_input_grad
        for_x = Double.apply(y, gradient, None) if needs_x else None
        return for_x, Halve.apply(x, gradient, None) if needs_y else None, None


def _is_small(height: int, width: int) -> bool:
    return height * width <= PRODUCT_PIXELS


def _halve(x: Tensor, w: Tensor, b: Tensor | None, windows: Tensor | None) -> Tensor:
    if windows is None:
        return F.conv2d(_channels_last(x), w, b, STRIDE, PADDING)
    batch, _, height, width = x.shape
    kernels = _matrix(w).t()
    product = torch.mm(windows, kernels) if b is None else torch.addmm(b, windows, kernels)
    return product.view(batch, height // 2, width // 2, -1).permute(0, 3, 1, 2)


def _double(y: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    if w.shape[1] <= SHUFFLED_CHANNELS:
        four_biases = None if b is None else b.repeat_interleave(4)
        return F.pixel_shuffle(F.conv2d(_channels_last(y), _shuffled(w), four_biases, padding=1), 2)
    if not _is_small(y.shape[2], y.shape[3]):
        return F.conv_transpose2d(_channels_last(y), w, b, STRIDE, PADDING, 1)
    return _add_windows(torch.mm(_rows(y), _matrix(w)), y, b)


def _weight_gradient(x: Tensor, y: Tensor, windows: Tensor | None) -> Tensor:
    if windows is not None:
        return _as_weight(torch.mm(_rows(y).t(), windows))
    if y.dtype == torch.bfloat16 and y.shape[2] * y.shape[3] <= BF16_GRADIENT_PIXELS:
        parts = zip(x.split(IMAGES_AT_ONCE), y.split(IMAGES_AT_ONCE), strict=True)
        return _as_weight(torch.stack([torch.mm(_rows(b).t(), _windows(a)) for a, b in parts]).sum(0))
    like_w = x.new_empty(()).expand(y.shape[1], x.shape[1], KERNEL, KERNEL)
    stride, padding = [STRIDE, STRIDE], [PADDING, PADDING]
    gradients: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
        _channels_last(y), _channels_last(x), like_w, None, stride, padding, [1, 1], False, [0, 0], 1,
        [False, True, False],
    )  # fmt: skip
    return gradients[1]


def _windows(x: Tensor) -> Tensor:
    """The 5x5 windows of x as rows: (B, I, 2h, 2w) -> (B h w, 25 I)."""
    batch, _, height, width = x.shape
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, PADDING, 1, PADDING, 1))
    windows = padded.unfold(1, KERNEL, STRIDE).unfold(2, KERNEL, STRIDE)  # (B, h, w, I, 5, 5)
    return windows.permute(0, 1, 2, 4, 5, 3).reshape(batch * height * width // 4, -1)


def _add_windows(rows: Tensor, y: Tensor, b: Tensor | None) -> Tensor:
    """The transpose of `_windows`, and b: (B h w, 25 I) -> (B, I, 2h, 2w), added in single precision."""
    batch, _, height, width = y.shape
    windows = rows.view(batch, height, width, KERNEL, KERNEL, -1)
    exact = torch.promote_types(rows.dtype, torch.float32)
    total = rows.new_zeros((batch, 2 * height, 2 * width, windows.shape[-1]), dtype=exact)
    if b is not None:
        total += b
    for row in range(KERNEL):
        top, into_rows = _landing(row, height)
        for column in range(KERNEL):
            left, into_columns = _landing(column, width)
            total[:, into_rows, into_columns] += windows[:, top, left, row, column]
    return total.to(rows.dtype).permute(0, 3, 1, 2)


def _landing(tap: int, size: int) -> tuple[slice, slice]:
    """Of a line of `size` windows: those whose tap falls inside the picture, and on which pixels it falls."""
    first, last = (1 if tap < PADDING else 0), (size - 1 if tap > PADDING + 1 else size)
    shift = tap - PADDING
    return slice(first, last), slice(2 * first + shift, 2 * last + shift, 2)


def _shuffled(w: Tensor) -> Tensor:
    """A 3x3 kernel that computes the four pixels of `double` as channels: (O, I, 5, 5) -> (4 I, O, 3, 3)."""
    outputs, inputs = w.shape[:2]
    taps = F.pad(w, (0, 1, 0, 1)).reshape(outputs, inputs, 3, 2, 3, 2).flip(2, 4)
    return _channels_last(taps.permute(1, 3, 5, 0, 2, 4).reshape(4 * inputs, outputs, 3, 3))


def _as_weight(matrix: Tensor) -> Tensor:
    """(O, 25 I) -> (O, I, 5, 5), a channels-last view."""
    return matrix.view(len(matrix), KERNEL, KERNEL, -1).permute(0, 3, 1, 2)


def _matrix(w: Tensor) -> Tensor:
    """(O, I, 5, 5) -> (O, 25 I), a view of channels-last weights."""
    return w.permute(0, 2, 3, 1).reshape(w.shape[0], -1)


def _rows(y: Tensor) -> Tensor:
    """(B, O, h, w) -> (B h w, O), a view of channels-last pictures."""
    return y.permute(0, 2, 3, 1).reshape(-1, y.shape[1])


def _channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)


def _is_trained_on_cpu(module: nn.Module, images: Tensor) -> bool:
    return module.training and images.device.type == "cpu"


def _cast_for_autocast(tensor: Tensor | None) -> Tensor | None:
    if tensor is None or not torch.is_autocast_enabled("cpu"):
        return tensor
    return tensor.to(torch.get_autocast_dtype("cpu"))
