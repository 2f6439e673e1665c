"""Pillow's bicubic enlargement, a few rows at a time."""

import numpy as np

from srcli.pictures.pixels import to_pixels
from srcli.pictures.resize import enlarge_bicubic
from srcli.upscaling.pixels import Pixels

_REACH = 2
"""Radius of the filter in input pixels."""


def enlarge_rows(pixels: Pixels, start: int, stop: int, scale: int) -> Pixels:
    """Enlarges rows `start` to `stop` - 1 of a picture (h, w, channels) as part of the whole.

    Returns:
        (scale * (stop - start), scale * w, channels), of the type of `pixels`.
    """
    top = max(start - _REACH, 0)
    around = pixels[None, top : stop + _REACH]
    if around.dtype == np.uint8:
        enlarged: Pixels = enlarge_bicubic(around.astype(np.uint8, copy=False), scale)[0]
    else:
        enlarged = to_pixels(enlarge_bicubic(around.astype(np.float32), scale)[0], pixels.dtype)
    return enlarged[(start - top) * scale : (stop - top) * scale]
