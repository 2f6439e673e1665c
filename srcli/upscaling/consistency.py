"""Back-projection: making an output's area average equal its input."""

import numpy as np

from srcli.pictures.pixels import to_pixels
from srcli.pictures.resize import area_average, enlarge_bicubic
from srcli.upscaling.pixels import Pixels, Values

CONTEXT = 8
"""Input pixels around a tile that influence its back-projection."""

_SMOOTH_PASSES = 3

_TOLERANCE = 0.25
"""In grey levels, before rounding, which moves an average by at most half a level."""


def spread_residual(values: Values, low_res: Pixels, scale: int) -> Values:
    """Adds the residual of an enlargement's area average, spread smoothly so that no squares show.

    This is approximate; `settle_residual` does the rest. Input pixels beyond `CONTEXT` have no influence.

    Args:
        values: The enlargement (scale * h, scale * w, channels), in the range of the input's type.
        low_res: The input (h, w, channels).
    """
    peak = np.iinfo(low_res.dtype).max
    for _ in range(_SMOOTH_PASSES):
        residual = (low_res - area_average(values, scale)).astype(np.float32)
        values = (values + enlarge_bicubic(residual[None], scale)[0]).clip(0, peak)
    return values


def settle_residual(values: Values, low_res: Pixels, scale: int) -> Pixels:
    """Rounds an enlargement so that its area average is the input's value, within three quarters of a level.

    The residual is added evenly to the pixels of a square. Pixels that would leave the range are clipped,
    and the others make up for it. Shapes are those of `spread_residual`.
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
