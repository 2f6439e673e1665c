"""Pillow's bicubic enlargement, a few rows at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srcli.upscaling.pixels import Pixels, to_pixels

_REACH = 2
"""Radius of the filter in input pixels."""


def enlarge_rows(pixels: Pixels, start: int, stop: int, scale: int) -> Pixels:
    """Enlarges rows `start` to `stop` - 1 as part of the whole picture.

    Args:
        pixels: The whole picture, (h, w, channels).
        start: The first row.
        stop: The row after the last.
        scale: The enlargement factor.

    Returns:
        (scale * (stop - start), scale * w, channels), of the type of `pixels`.
    """
    top = max(start - _REACH, 0)
    around = pixels[top : stop + _REACH]
    if pixels.dtype == np.uint8:
        enlarged: Pixels = np.stack([_resize(channel, scale) for channel in _channels(around)], axis=-1)
    else:
        enlarged = to_pixels(enlarge_values(around.astype(np.float32), scale), pixels)
    return enlarged[(start - top) * scale : (stop - top) * scale]


def enlarge_values(values: NDArray[np.float32], scale: int) -> NDArray[np.float32]:
    """Enlarges numbers without rounding them: (h, w, channels) -> (scale * h, scale * w, channels)."""
    return np.stack([_resize(channel, scale) for channel in _channels(values)], axis=-1)


def _channels(pixels: NDArray[Any]) -> Iterator[NDArray[Any]]:
    return (np.ascontiguousarray(pixels[..., index]) for index in range(pixels.shape[2]))


def _resize(channel: NDArray[Any], scale: int) -> NDArray[Any]:
    image = Image.fromarray(channel)
    return np.asarray(image.resize((image.width * scale, image.height * scale), Image.Resampling.BICUBIC))
