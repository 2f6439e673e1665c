"""Reducing by exact area averages, enlarging by the two baselines."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srcli.pictures.pixels import Pixels, to_uint8

Number = TypeVar("Number", np.uint8, np.float32)


def area_average(pixels: NDArray[Any], factor: int) -> NDArray[np.float64]:
    """The exact mean of every `factor` x `factor` block: (..., H, W, C) -> (..., H/factor, W/factor, C)."""
    *lead, height, width, channels = pixels.shape
    if height % factor or width % factor:
        raise ValueError(f"{height} x {width} is no multiple of {factor}")
    total = np.zeros((*lead, height // factor, width // factor, channels))
    for row in range(factor):
        for column in range(factor):
            total += pixels[..., row::factor, column::factor, :]
    return total / factor**2


def resize_area(square: Pixels, side: int) -> Pixels:
    """Area-averages a square picture: (H, H, 3) -> (side, side, 3), rounded; itself where H is the side.

    Each pixel counts by how much of it the result's pixel covers; Pillow's box filter takes it or leaves it.
    """
    size = len(square)
    if size == side:
        return square
    # Whole numbers of at most 255 H^2, so that the sums are exact in whatever order they are taken.
    exact: type[np.floating[Any]] = np.float32 if 255 * size**2 < 2**24 else np.float64
    weights = _coverage(size, side).astype(exact)
    rows = np.tensordot(weights, square.astype(exact), (1, 0))  # (side, H, 3)
    sums = np.tensordot(weights, rows, (1, 1)).swapaxes(0, 1)  # (side, side, 3)
    return to_uint8(np.divide(sums, size**2, dtype=np.float64))


def enlarge_bicubic(low_res: NDArray[Number], scale: int) -> NDArray[Number]:
    """Pillow's bicubic enlargement, the baseline: (N, h, w, C) -> (N, scale h, scale w, C).

    Pixels of 8 bits are rounded as Pillow does, those of float32 are not.
    """
    count, height, width, channels = low_res.shape
    enlarged = np.empty((count, height * scale, width * scale, channels), low_res.dtype)
    for index, channel in np.ndindex(count, channels):
        image = Image.fromarray(np.ascontiguousarray(low_res[index, ..., channel]))
        larger = image.resize((width * scale, height * scale), Image.Resampling.BICUBIC)
        enlarged[index, ..., channel] = np.asarray(larger)
    return enlarged


def enlarge_nearest(low_res: Pixels, scale: int) -> Pixels:
    """Every pixel repeated: (N, h, w, 3) -> (N, scale h, scale w, 3)."""
    return low_res.repeat(scale, axis=1).repeat(scale, axis=2)


def _coverage(pixels: int, parts: int) -> NDArray[np.int64]:
    """How many `parts`-ths of each pixel lie in each of `parts` equal parts of a line: (parts, pixels)."""
    bounds = np.arange(parts + 1)[:, None] * pixels
    starts = np.arange(pixels)[None, :] * parts
    overlap = np.minimum(bounds[1:], starts + parts) - np.maximum(bounds[:-1], starts)
    parts_covered: NDArray[np.int64] = np.maximum(overlap, 0)
    return parts_covered
