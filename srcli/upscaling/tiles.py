"""Enlarging pixels of any size with a network that was trained on small squares. NumPy only."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from srcli.data.task import Sizes
from srcli.errors import ImageError
from srcli.generators.description import Description
from srcli.pictures.pixels import to_network, to_pixels
from srcli.upscaling.consistency import CONTEXT, settle_residual, spread_residual
from srcli.upscaling.pixels import Pixels, values_of

BATCH_PIXELS = 64 * 16 * 16
"""Tiles of one size run together up to so many pixels with their contexts; a larger one runs alone."""

STRIP_ROWS = 64
"""So many rows of an output are rounded at once."""

MINIMUM_SIZE = 16
"""Smaller sides are mirrored up to this, unless the network takes one size only."""


class Network(Protocol):
    """What the engine needs of a network, whatever runs it."""

    @property
    def description(self) -> Sizes:
        """What it takes."""

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


def check_size(width: int, height: int, description: Description, name: str) -> None:
    """Makes sure that a generator takes a picture of this size in pixels; `name` is the picture's.

    Raises:
        ImageError: The generator takes one size only, and the picture has another.
    """
    size = description.input_size
    if size is not None and (width, height) != (size, size):
        model = f"the model ({description.label}) takes exactly {size}x{size}"
        raise ImageError(
            f"{name}: it is {width}x{height}, but {model}",
            "Use a convolutional model (resnet or dcgan), which takes any size.",
        )


def enlarge_pixels(
    pixels: Pixels,
    network: Network,
    tile_size: int | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
    consistent: bool = False,
) -> Pixels:
    """Enlarges one picture tile by tile, so that memory beyond the output itself stays small.

    Neighbouring tiles share the network's context, which makes the result the same as that of one pass over
    the whole picture, but for float rounding.

    Args:
        pixels: (h, w, 1) or (h, w, 3), 8 or 16 bits. One channel runs as three equal ones and is averaged.
        tile_size: Side of a tile without its context, in pixels of the input; None for the network's.
        on_progress: Called after each batch with the share of the picture that it was, in (0, 1].
        consistent: Whether the output's area average is made to be the input.

    Returns:
        (scale * h, scale * w, channels), of the type of `pixels`.

    Raises:
        CheckpointError: The network's output is not a number.
    """
    scale = network.description.scale
    height, width, channels = pixels.shape
    enlarged = np.empty((height * scale, width * scale, channels), dtype=pixels.dtype)
    for tile_row in tile_rows_of(pixels, network.description, tile_size, consistent):
        (rows,) = enlarge_tile_rows([tile_row], network, on_progress)
        enlarged[tile_row.rows.start * scale :][: len(rows)] = rows
    return enlarged


@dataclass(frozen=True, eq=False)
class TileRow:
    """A row of tiles of a picture.

    Attributes:
        padded: The whole picture, mirrored outward at the right and the lower edge.
        size: Height and width of the picture without the mirrored parts.
        rows: The rows that the tiles fill.
        columns: The tiles, left to right.
        share: What each tile is of its picture, in (0, 1].
        consistent: As in `enlarge_pixels`.
    """

    padded: Pixels
    size: tuple[int, int]
    rows: Span
    columns: Sequence[Span]
    share: float
    consistent: bool

    @property
    def height(self) -> int:
        """In pixels of the input."""
        return min(self.rows.stop, self.size[0]) - self.rows.start

    def window(self, column: Span) -> Pixels:
        """A tile with its context."""
        return self.padded[self.rows.window, column.window]


def tile_rows_of(
    pixels: Pixels, sizes: Sizes, tile_size: int | None = None, consistent: bool = False
) -> list[TileRow]:
    """Divides a picture, (h, w, 1) or (h, w, 3), into rows of tiles, from top to bottom."""
    size, multiple = pixels.shape[:2], sizes.size_multiple
    margin = sizes.context + CONTEXT * consistent
    padded = _pad(pixels, sizes.input_size or MINIMUM_SIZE, multiple)
    # Tiles that lie in the mirrored part alone are left out.
    rows, columns = (
        [span for span in spans(side, tile_size or sizes.tile_size, multiple, margin) if span.start < end]
        for side, end in zip(padded.shape[:2], size, strict=True)
    )
    share = 1 / (len(rows) * len(columns))
    return [TileRow(padded, size, row, columns, share, consistent) for row in rows]


def enlarge_tile_rows(
    tile_rows: Sequence[TileRow], network: Network, on_progress: Callable[[float], None] = lambda _: None
) -> list[Pixels]:
    """Enlarges rows of tiles, of one or several pictures; those of one size run through the network together.

    Arguments and errors are those of `enlarge_pixels`.

    Returns:
        For each tile_row its (scale * height, scale * w, channels), of the type of its picture.
    """
    scale = network.description.scale
    enlarged = [
        np.empty(
            (tile_row.height * scale, tile_row.size[1] * scale, tile_row.padded.shape[2]),
            tile_row.padded.dtype,
        )
        for tile_row in tile_rows
    ]
    of_size: dict[tuple[int, ...], list[tuple[int, Span]]] = {}
    for index, tile_row in enumerate(tile_rows):
        for column in tile_row.columns:
            of_size.setdefault(tile_row.window(column).shape[:2], []).append((index, column))
    for (height, width), tiles in of_size.items():
        together = max(1, BATCH_PIXELS // (height * width))
        for some in (tiles[start : start + together] for start in range(0, len(tiles), together)):
            _enlarge_tiles(some, tile_rows, enlarged, network)
            on_progress(sum(tile_rows[index].share for index, _ in some))
    return enlarged


def _enlarge_tiles(
    tiles: Sequence[tuple[int, Span]],
    tile_rows: Sequence[TileRow],
    enlarged: Sequence[Pixels],
    network: Network,
) -> None:
    """Runs tiles of one size, each given by the number of its row and its columns; fills in their rows."""
    # One by one, since pictures of one size may be grey or coloured, of 8 or 16 bits.
    low_res = [to_network(tile_rows[index].window(column)[None]) for index, column in tiles]
    high_res = network.enlarge(np.concatenate(low_res))
    for (index, column), values in zip(tiles, high_res, strict=True):
        _place(enlarged[index], tile_rows[index], column, values, network.description.scale)


def spans(length: int, tile_size: int, multiple: int, margin: int) -> list[Span]:
    """Divides one axis into about equal tiles, whose parts and windows start and stop at multiples.

    Args:
        length: A multiple of `multiple`.
        tile_size: The largest part, before it is rounded up to `multiple`.
        margin: Context on either side, before it is rounded up; it ends where the axis does.
    """
    margin = _round_up(margin, multiple)
    step = _round_up(math.ceil(length / math.ceil(length / tile_size)), multiple)
    parts = [(start, min(start + step, length)) for start in range(0, length, step)]
    return [
        Span(start, stop, slice(max(start - margin, 0), min(stop + margin, length))) for start, stop in parts
    ]


def _place(
    enlarged: Pixels, tile_row: TileRow, column: Span, high_res: NDArray[np.float32], scale: int
) -> None:
    """Puts a tile's part of a window's enlargement (3, h, w) into that of its row."""
    window = tile_row.window(column)
    place = enlarged[:, column.start * scale : column.stop * scale]
    # The last tiles reach into the padding, which the output does not have.
    height, width = place.shape[0] // scale, place.shape[1] // scale
    rows = slice(tile_row.rows.context, tile_row.rows.context + height)
    columns = slice(column.context, column.context + width)
    wide = slice(columns.start * scale, columns.stop * scale)
    if tile_row.consistent:
        values = spread_residual(values_of(high_res, window), window, scale)
        part = values[rows.start * scale : rows.stop * scale, wide]
        place[:] = settle_residual(part, window[rows, columns], scale)
        return
    # A few rows at a time: in double precision the tile would take more memory than the network does.
    for start in range(0, len(place), STRIP_ROWS):
        strip = place[start : start + STRIP_ROWS]
        top = rows.start * scale + start
        strip[:] = to_pixels(values_of(high_res[:, top : top + len(strip), wide], window), window.dtype)


def _pad(pixels: Pixels, least: int, multiple: int) -> Pixels:
    """Mirrors the right and the lower edge outward until the network takes the size."""
    missing = [(0, _round_up(max(side, least), multiple) - side) for side in pixels.shape[:2]]
    return np.pad(pixels, [*missing, (0, 0)], mode="symmetric") if np.any(missing) else pixels


def _round_up(value: int, multiple: int) -> int:
    return math.ceil(value / multiple) * multiple
