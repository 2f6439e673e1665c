"""Pillow's bicubic enlargement, some rows at a time."""

import numpy as np

from srcli.pictures.pixels import to_pixels
from srcli.pictures.resize import enlarge_bicubic
from srcli.upscaling.pixels import Pixels

_REACH = 2
"""Pixels on either side of a pixel that have a part in its enlargement."""


def enlarge_rows(pixels: Pixels, start: int, stop: int, scale: int) -> Pixels:
    """Enlarges the rows from `start` to before `stop`, with the rows around them in view.

    Args:
        pixels: The whole picture, (h, w, channels).
        start: The first row.
        stop: The row after the last.
        scale: How many times larger the result is.

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
