"""Pixels as arrays: number ranges, sheets of pictures, PNG files."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

RED_GREEN_BLUE = (0.299, 0.587, 0.114)
"""The shares of the colours in grey (ITU-R BT.601 luma), as Pillow and TensorFlow have them."""

Integer = TypeVar("Integer", bound=np.unsignedinteger[Any])


def to_uint8(values: NDArray[Any]) -> Pixels:
    """Rounds values in 0..255 half up; what lies outside is clipped."""
    return to_pixels(values, np.dtype(np.uint8))


def to_pixels(values: NDArray[Any], dtype: np.dtype[Integer]) -> NDArray[Integer]:
    """Rounds half up, and clips to the range of an integer type."""
    return np.floor(values + 0.5).clip(0, np.iinfo(dtype).max).astype(dtype)


def to_8_bits(pixels: NDArray[np.uint16]) -> Pixels:
    """16 bits -> 8, rounded."""
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)  # 65535 = 257 * 255


def to_network(pixels: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.float32]:
    """8 or 16 bits (N, H, W, 3) or grey (N, H, W, 1) -> (N, 3, H, W) in [-1, 1], grey in three channels."""
    values = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).astype(np.float32)
    values /= np.float32(np.iinfo(pixels.dtype).max / 2)
    values -= 1
    return values.repeat(3, axis=1) if values.shape[1] == 1 else values


def from_network(values: NDArray[np.floating[Any]]) -> Pixels:
    """(N, 3, H, W) in [-1, 1] -> (N, H, W, 3) in 0..255, rounded and clipped."""
    return to_uint8((values.transpose(0, 2, 3, 1) + 1) * 127.5)


def grid(rows: Sequence[Sequence[Pixels]], gap: int = 2, background: int = 255) -> Pixels:
    """Lays many pictures out as one: the cells (H, W, 3) of a row share a height, rows may differ in length.

    Between cells, but not around them, are `gap` pixels, in the grey that also fills up short rows.
    """
    widths = [sum(cell.shape[1] + gap for cell in row) - gap for row in rows]
    heights = [row[0].shape[0] for row in rows]
    sheet = np.full((sum(heights) + gap * (len(rows) - 1), max(widths), 3), background, np.uint8)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for cell in row:
            sheet[top : top + height, left : left + cell.shape[1]] = cell
            left += cell.shape[1] + gap
        top += height + gap
    return sheet


def as_png(pixels: Pixels) -> bytes:
    """(H, W, 3) as the bytes of a PNG file."""
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return buffer.getvalue()
