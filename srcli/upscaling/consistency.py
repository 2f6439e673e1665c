"""Back-projection: outputs whose area average is their input."""

import numpy as np

from srcli.pictures.pixels import to_pixels
from srcli.pictures.resize import area_average, enlarge_bicubic
from srcli.upscaling.pixels import Pixels, Values

CONTEXT = 8
"""Pixels of the input around a tile that have a part in its back-projection."""

_SMOOTH_PASSES = 3

_TOLERANCE = 0.25
"""In levels, before values are rounded; rounding moves an average by half a level at most."""


def spread_residual(values: Values, low_res: Pixels, scale: int) -> Values:
    """Adds what the area average of an enlargement lacks, spread smoothly, so that no squares show.

    It comes near; `settle_residual` does the rest. Pixels beyond `CONTEXT` of the input have no part in it.

    Args:
        values: The enlargement (scale * h, scale * w, channels), in the range of the input's type.
        low_res: The input (h, w, channels).
        scale: How many times larger the enlargement is.
    """
    peak = np.iinfo(low_res.dtype).max
    for _ in range(_SMOOTH_PASSES):
        residual = (low_res - area_average(values, scale)).astype(np.float32)
        values = (values + enlarge_bicubic(residual[None], scale)[0]).clip(0, peak)
    return values


def settle_residual(values: Values, low_res: Pixels, scale: int) -> Pixels:
    """Rounds an enlargement so that its area average is the input's value, within three quarters of a level.

    What lacks is added evenly to the pixels of a square. Pixels that would leave the range stop at its end,
    and the others take over their part.

    Args:
        values: The enlargement (scale * h, scale * w, channels).
        low_res: The input (h, w, channels).
        scale: How many times larger the enlargement is.
    """
    height, width, channels = low_res.shape
    peak = np.iinfo(low_res.dtype).max
    # (h, w, channels, scale, scale) -> (squares, pixels of a square)
    squares = values.reshape(height, scale, width, scale, channels).transpose(0, 2, 4, 1, 3)
    squares = squares.reshape(-1, scale**2).astype(np.float64).clip(0, peak)
    targets = low_res.reshape(-1)
    unsettled = np.arange(len(targets))
    while len(unsettled):
        moved = squares[unsettled]
        moved += (targets[unsettled] - moved.mean(axis=1))[:, None]
        squares[unsettled] = moved.clip(0, peak)
        lacking = np.abs(targets[unsettled] - squares[unsettled].mean(axis=1))
        unsettled = unsettled[lacking > _TOLERANCE]
    placed = squares.reshape(height, width, channels, scale, scale).transpose(0, 3, 1, 4, 2)
    return to_pixels(placed.reshape(height * scale, width * scale, channels), low_res.dtype)
