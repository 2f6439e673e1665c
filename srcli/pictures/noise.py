"""How noisy a picture is, judged so that texture is not taken for noise."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcli.pictures.pixels import RED_GREEN_BLUE

REGION = 256
"""Of larger pictures, the centre of so many pixels a side is judged."""

LEAST_COLOUR, LEAST_GREY = 3.5, 6.5
"""What texture alone hardly reaches, of 255 levels."""
LEAST_SIDE = 32
"""In smaller pictures of faces, no part is free of texture in brightness."""

WINDOW, SMOOTHEST = 4, 0.01
SHARE_OF_SIGMA = 0.5
"""Of the deviation of noise, what the smoothest windows show of it: the least of many draws lies below."""


def estimate_noise(pixels: NDArray[np.unsignedinteger[Any]]) -> float:
    """The standard deviation of a picture's noise, of 255 levels; 0 for less than texture may seem to be.

    Both measures use the second difference along both axes, to which edges and gradients contribute little
    (Immerkaer 1996). Between colours it is free of texture, whose brightness varies more than its colour:
    its median absolute value gives noise that differs between colours. Noise in brightness is measured where
    the picture is smoothest.

    Args:
        pixels: (h, w, 1) or (h, w, 3), 8 or 16 bits.
    """
    height, width, channels = pixels.shape
    top, left = max(0, height - REGION) // 2, max(0, width - REGION) // 2
    region = pixels[top : top + REGION, left : left + REGION]
    if min(region.shape[:2]) < WINDOW + 2:
        return 0.0
    values = region.astype(np.float32) * np.float32(255 / np.iinfo(pixels.dtype).max)
    if channels == 3:
        colour = _between_colours(values)
        if colour >= LEAST_COLOUR:
            return colour
        values = values @ np.array(RED_GREEN_BLUE, np.float32)[:, None]
    if min(region.shape[:2]) < LEAST_SIDE:
        return 0.0
    grey = _where_smoothest(values[..., 0])
    return grey if grey >= LEAST_GREY else 0.0


def _between_colours(values: NDArray[np.float32]) -> float:
    """From the differences of red and blue to green, which have twice the variance of each colour's noise."""
    differences = values[..., ::2] - values[..., 1:2]
    deviation = np.median(np.abs(_second_difference(differences))) / 0.6745  # of a normal distribution
    return float(deviation / np.sqrt(2))


def _where_smoothest(values: NDArray[np.float32]) -> float:
    """From the windows (h, w) that vary least; those that do not vary at all are clipped or drawn."""
    squares = _second_difference(values).astype(np.float64) ** 2
    windows = np.lib.stride_tricks.sliding_window_view(squares, (WINDOW, WINDOW))
    deviations = np.sqrt(windows.mean(axis=(2, 3)))
    varying = deviations[deviations > 0]
    return float(np.quantile(varying, SMOOTHEST) / SHARE_OF_SIGMA) if varying.size else 0.0


def _second_difference(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Along both axes, (h, w, ...) -> (h - 2, w - 2, ...), scaled to keep the deviation of white noise."""
    rows = values[:-2] - 2 * values[1:-1] + values[2:]
    both: NDArray[np.float32] = rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]
    return both / np.float32(6)
