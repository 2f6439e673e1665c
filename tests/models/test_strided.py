"""The halving and doubling convolutions against PyTorch's own, in double precision, with all derivatives."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from srcli.models.kernels.strided import (
    PRODUCT_PIXELS,
    Double,
    DoublingConv2d,
    Halve,
    HalvingConv2d,
    WeightGradient,
)

# Sizes of y on both sides of where the kernels change, and channels of x on both sides likewise.
SIZES = pytest.mark.parametrize(("size", "channels"), [(1, 5), (4, 5), (6, 5), (4, 3), (6, 3)])


def tensors(size: int, channels: int) -> tuple[Tensor, Tensor, Tensor]:
    """x (2, channels, 2 size, 2 size), w (6, channels, 5, 5) and y (2, 6, size, size), drawn."""
    random = torch.Generator().manual_seed(size + channels)
    shapes = [(2, channels, 2 * size, 2 * size), (6, channels, 5, 5), (2, 6, size, size)]
    x, w, y = (torch.randn(shape, dtype=torch.double, generator=random) for shape in shapes)
    return x, w, y


def close(ours: Tensor, theirs: Tensor) -> bool:
    return torch.allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@SIZES
def test_halving_and_doubling_are_the_convolution_and_its_transpose(size: int, channels: int) -> None:
    x, w, y = tensors(size, channels)
    bias = torch.arange(6, dtype=torch.double)
    assert close(Halve.apply(x, w, bias), F.conv2d(x, w, bias, 2, 2))
    assert close(Double.apply(y, w, bias[:channels]), F.conv_transpose2d(y, w, bias[:channels], 2, 2, 1))


@SIZES
def test_the_weights_gradient_is_autograds(size: int, channels: int) -> None:
    x, w, y = tensors(size, channels)
    w.requires_grad_(True)
    (expected,) = torch.autograd.grad((F.conv2d(x, w, None, 2, 2) * y).sum(), w)
    assert close(WeightGradient.apply(x, y, None), expected)


@SIZES
def test_first_and_second_derivatives_agree_with_finite_differences(size: int, channels: int) -> None:
    x, w, y = tensors(size, channels)
    bias = torch.zeros(6, dtype=torch.double, requires_grad=True)
    x, w, y = (tensor[:1, :2].clone().requires_grad_(True) for tensor in (x, w[:, :2], y))
    w = torch.randn(2, 2, 5, 5, dtype=torch.double, requires_grad=True)
    for function, first in ((Halve, x), (Double, y)):
        arguments = (first, w, bias[:2])
        assert torch.autograd.gradcheck(function.apply, arguments, fast_mode=True)
        assert torch.autograd.gradgradcheck(function.apply, arguments, fast_mode=True)
    assert torch.autograd.gradcheck(WeightGradient.apply, (x, y, None), fast_mode=True)
    assert torch.autograd.gradgradcheck(WeightGradient.apply, (x, y, None), fast_mode=True)


@pytest.mark.parametrize("layer", [HalvingConv2d(4, 6), DoublingConv2d(4, 6)])
def test_layers_give_the_same_in_training_and_in_use(layer: torch.nn.Module) -> None:
    images = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    layer.to(memory_format=torch.channels_last)
    trained = layer.train()(images)
    used = layer.eval()(images)
    assert torch.allclose(trained, used, atol=1e-5)
    assert trained.is_contiguous(memory_format=torch.channels_last)


def test_bfloat16_adds_overlapping_windows_in_single_precision() -> None:
    _, w, y = tensors(4, 8)
    assert y[0, 0].numel() <= PRODUCT_PIXELS
    rounded = y.bfloat16(), w.bfloat16()
    exact = F.conv_transpose2d(rounded[0].double(), rounded[1].double(), None, 2, 2, 1)
    error = (Double.apply(*rounded, None).double() - exact).norm() / exact.norm()
    assert error < 2**-8


@pytest.mark.parametrize("size", [4, 8, 12])
def test_bfloat16_weights_gradients_are_right_for_batches_of_any_size(size: int) -> None:
    random = torch.Generator().manual_seed(5)
    x = torch.randn(19, 6, 2 * size, 2 * size, generator=random).bfloat16()
    w = torch.randn(7, 6, 5, 5, generator=random).bfloat16().requires_grad_(True)
    y = torch.randn(19, 7, size, size, generator=random).bfloat16()
    (gradient,) = torch.autograd.grad(Halve.apply(x, w, None), w, y)
    exact_w = w.detach().double().requires_grad_(True)
    (exact,) = torch.autograd.grad(F.conv2d(x.double(), exact_w, None, 2, 2), exact_w, y.double())
    assert (gradient.double() - exact).norm() / exact.norm() < 2**-7
