"""Enlarging pixels of any size with a network that was trained on small squares. NumPy only."""

import math
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from srcli.errors import CheckpointError, ImageError

Pixels = NDArray[np.unsignedinteger[Any]]
"""Of 8 or 16 bits, channels last."""

TILE_SIZE = 128
"""Side of a tile without its context, in low-resolution pixels."""

MINIMUM_SIZE = 16
"""Smaller sides are mirrored up to this: the size the networks were trained at."""


class Network(Protocol):
    """What the engine needs to know of a network, whatever runs it."""

    @property
    def scale(self) -> int:
        """How many times larger the output is, on each axis."""

    @property
    def input_size(self) -> int | None:
        """The only side length it takes, or None when it takes any size."""

    @property
    def size_multiple(self) -> int:
        """Sides must be a multiple of this."""

    @property
    def margin(self) -> int:
        """Low-resolution pixels after which a pixel no longer matters to its neighbour."""

    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        """(batch, 3, h, w) in [-1, 1] -> (batch, 3, scale * h, scale * w) in [-1, 1]."""


class Span(NamedTuple):
    """A tile along one axis: the part that it fills, and the window around it with the context it needs."""

    start: int
    stop: int
    window: slice

    @property
    def context(self) -> int:
        """How far into the window the part starts."""
        return self.start - int(self.window.start)

    def scaled_part(self, scale: int) -> slice:
        """The part's place in the output."""
        return slice(self.start * scale, self.stop * scale)


def check_size(width: int, height: int, network: Network, model: str, name: str) -> None:
    """Makes sure that the network takes a picture of this size.

    Args:
        width: In pixels.
        height: In pixels.
        network: The network that is to enlarge the picture.
        model: How the network is called in the message.
        name: How the picture is called in the message.

    Raises:
        ImageError: The network takes one size only, and the picture has another.
    """
    size = network.input_size
    if size is not None and (width, height) != (size, size):
        raise ImageError(
            f"{name}: it is {width}x{height}, but the model ({model}) takes exactly {size}x{size}",
            "Use a convolutional model (resnet or dcgan), which takes any size.",
        )


def enlarge_pixels(
    pixels: Pixels,
    network: Network,
    tile_size: int = TILE_SIZE,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Pixels:
    """Enlarges one picture tile by tile, so that memory beyond the output itself stays small.

    Neighbouring tiles share `network.margin` pixels of context, which makes the result the same as that of
    one pass over the whole picture, but for float rounding.

    Args:
        pixels: (h, w, 1) or (h, w, 3), 8 or 16 bits. One channel runs as three equal ones and is averaged.
        network: The network that enlarges.
        tile_size: Side of a tile without its context, in pixels of the input.
        on_progress: Called after each tile with the share of the picture that it was, in (0, 1].

    Returns:
        (scale * h, scale * w, channels), of the type of `pixels`.

    Raises:
        CheckpointError: The network's output is not a number.
    """
    height, width, channels = pixels.shape
    scale, multiple = network.scale, network.size_multiple
    padded = _pad(pixels, multiple)
    enlarged = np.empty((height * scale, width * scale, channels), dtype=pixels.dtype)
    rows, columns = (spans(side, tile_size, multiple, network.margin) for side in padded.shape[:2])
    for row, column in product(rows, columns):
        tile = _enlarge_window(padded[row.window, column.window], network)
        place = enlarged[row.scaled_part(scale), column.scaled_part(scale)]
        top, left = row.context * scale, column.context * scale
        # The last tiles reach into the padding, which the output does not have.
        place[:] = tile[top : top + place.shape[0], left : left + place.shape[1]]
        on_progress(1 / (len(rows) * len(columns)))
    return enlarged


def spans(length: int, tile_size: int, multiple: int, margin: int) -> list[Span]:
    """Divides one axis into about equal tiles, whose parts and windows start and stop at multiples.

    Args:
        length: Of the axis, a multiple of `multiple`.
        tile_size: The largest part, before it is rounded up to `multiple`.
        multiple: What all positions are a multiple of.
        margin: Context on either side, before it is rounded up; it ends where the axis does.
    """
    margin = _round_up(margin, multiple)
    step = _round_up(math.ceil(length / math.ceil(length / tile_size)), multiple)
    parts = [(start, min(start + step, length)) for start in range(0, length, step)]
    return [
        Span(start, stop, slice(max(start - margin, 0), min(stop + margin, length))) for start, stop in parts
    ]


def _enlarge_window(window: Pixels, network: Network) -> NDArray[np.float64]:
    """The window's enlargement, rounded but still float: (h, w, c) -> (scale * h, scale * w, c)."""
    peak = np.iinfo(window.dtype).max
    values = window.astype(np.float32) / np.float32(peak / 2) - 1
    # (h, w, channels) -> (1, 3, h, w)
    low_res = np.ascontiguousarray(np.broadcast_to(values, (*window.shape[:2], 3)).transpose(2, 0, 1))[None]
    high_res = network.enlarge(low_res)[0]
    if not np.isfinite(high_res).all():
        raise CheckpointError(
            "the model's output is not a number", "Its training has diverged; use an earlier checkpoint."
        )
    if window.shape[2] == 1:
        high_res = high_res.mean(axis=0, keepdims=True)
    rounded: NDArray[np.float64] = np.floor((high_res.astype(np.float64) + 1) * (peak / 2) + 0.5)
    return rounded.clip(0, peak).transpose(1, 2, 0)


def _pad(pixels: Pixels, multiple: int) -> Pixels:
    """Mirrors the right and the lower edge outward until the network takes the size."""
    missing = [(0, _round_up(max(side, MINIMUM_SIZE), multiple) - side) for side in pixels.shape[:2]]
    return np.pad(pixels, [*missing, (0, 0)], mode="symmetric")


def _round_up(value: int, multiple: int) -> int:
    return math.ceil(value / multiple) * multiple
