"""Converting pixels between pictures and networks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcli.errors import CheckpointError

Pixels = NDArray[np.unsignedinteger[Any]]
"""8 or 16 bits, channels last."""

Values = NDArray[np.floating[Any]]
"""In the range of 8- or 16-bit pixels, not yet rounded."""


def to_batch(windows: Sequence[Pixels]) -> NDArray[np.float32]:
    """Windows (h, w, 1 or 3) of one size -> (B, 3, h, w) in [-1, 1]; grey becomes three equal channels."""
    height, width, _ = windows[0].shape
    batch = np.empty((len(windows), 3, height, width), np.float32)
    for values, window in zip(batch, windows, strict=True):
        values[:] = window.transpose(2, 0, 1)
        values /= np.float32(np.iinfo(window.dtype).max / 2)
    batch -= 1
    return batch


def from_network(high_res: NDArray[np.float32], like: Pixels) -> Values:
    """(3, h, w) in [-1, 1] -> (h, w, channels) with the channels and the range of `like`, not yet rounded.

    Raises:
        CheckpointError: The values are not finite.
    """
    if not np.isfinite(high_res).all():
        raise CheckpointError(
            "the model's output is not a number", "Its training has diverged; use an earlier checkpoint."
        )
    if like.shape[2] == 1:
        high_res = high_res.mean(axis=0, keepdims=True)
    return ((high_res.astype(np.float64) + 1) * (np.iinfo(like.dtype).max / 2)).transpose(1, 2, 0)


def to_pixels(values: Values, like: Pixels) -> Pixels:
    """Rounds half up and clips to the range of `like`."""
    rounded: Pixels = np.floor(values + 0.5).clip(0, np.iinfo(like.dtype).max).astype(like.dtype)
    return rounded
