"""Pixels of 8 or 16 bits, and a network's output before it is rounded to them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcli.errors import CheckpointError

Pixels = NDArray[np.unsignedinteger[Any]]
"""8 or 16 bits, channels last."""

Values = NDArray[np.floating[Any]]
"""In the range of 8- or 16-bit pixels, not yet rounded."""


def values_of(high_res: NDArray[np.float32], like: Pixels) -> Values:
    """(3, h, w) in [-1, 1] -> (h, w, channels) with the channels and the range of `like`, not yet rounded.

    Raises:
        CheckpointError: They are not finite.
    """
    if not np.isfinite(high_res).all():
        hint = "Its training has diverged; use an earlier checkpoint."
        raise CheckpointError("the model's output is not a number", hint)
    if like.shape[2] == 1:
        high_res = high_res.mean(axis=0, keepdims=True)
    return ((high_res.astype(np.float64) + 1) * (np.iinfo(like.dtype).max / 2)).transpose(1, 2, 0)
