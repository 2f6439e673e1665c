"""Filling in the colours under transparent pixels."""

import numpy as np
from numpy.typing import NDArray

from srcli.upscaling.pixels import Pixels


def fill_hidden(colour: Pixels, alpha: NDArray[np.uint8]) -> Pixels:
    """Replaces the colours of fully transparent pixels by those of the visible pixels around them.

    Colours under transparent pixels are arbitrary, often black, and a network would blend them into the
    visible edge as a dark fringe. Shapes are (h, w, channels) and (h, w).
    """
    visible = alpha > 0
    if visible.all() or not visible.any():
        return colour
    filled = _fill(colour.astype(np.float32), visible.astype(np.float32)[..., None])
    return np.where(visible[..., None], colour, np.rint(filled).astype(colour.dtype))


def _fill(colour: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fills pixels of weight 0 from the picture at half size, itself filled (pull-push)."""
    if weight.all():
        return colour
    total = _sum_of_squares(weight)
    means = _sum_of_squares(colour * weight) / total.clip(min=1)
    coarse = _fill(means, total.clip(max=1)).repeat(2, axis=0).repeat(2, axis=1)
    fine = coarse[: colour.shape[0], : colour.shape[1]]
    return np.where(weight > 0, colour, fine)


def _sum_of_squares(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sums over 2x2 squares: (h, w, c) -> (ceil(h/2), ceil(w/2), c)."""
    height, width = values.shape[:2]
    even = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    return even[0::2, 0::2] + even[1::2, 0::2] + even[0::2, 1::2] + even[1::2, 1::2]
