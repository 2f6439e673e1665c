"""Antialiased shapes on a batch of small canvases, for faces drawn with numpy alone.

Pixels are computed with additions, products, quotients, square roots and comparisons only, never `exp` or
`sin`: these round alike on every machine, so the same seed draws the same pixels everywhere.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]
"""Single precision; numpy's annotations only say floating."""

Plane = Numbers
"""(B, H, W), or (B, 1, 1) for one number per picture."""

Window = tuple[slice, slice]
"""Rows and columns."""


class Dice:
    """Hands out the columns of a table of uniform random numbers, one row per picture.

    All pictures use the same columns in the same order, so each depends on its own row only.
    """

    def __init__(self, table: Numbers) -> None:
        self._table = table
        self._next = 0

    def between(self, low: float, high: float) -> Plane:
        """Uniform numbers in [low, high), (B, 1, 1)."""
        values: Numbers = np.float32(low) + np.float32(high - low) * self.many(1)[:, :, None]
        return values

    def chance(self, probability: float) -> Plane:
        """1 with that probability, else 0, (B, 1, 1)."""
        return (self.between(0, 1) < probability).astype(np.float32)

    def colour(self, palette: str, spread: float) -> Plane:
        """A random colour of the palette, moved by up to `spread` per channel, (B, 3, 1, 1) in 0..1.

        Args:
            palette: Colours in hexadecimal, with spaces between.
        """
        colours = np.array([list(bytes.fromhex(colour)) for colour in palette.split()], np.float32) / 255
        picked = colours[(self.between(0, len(colours))[:, 0, 0]).astype(np.int64)]
        wander = np.concatenate([self.between(-spread, spread) for _ in range(3)], axis=1)[:, :, 0]
        colour: Numbers = np.clip(picked + wander, 0, 1)[:, :, None, None]
        return colour

    def many(self, count: int) -> Numbers:
        """A table of uniform numbers, (B, count)."""
        columns = self._table[:, self._next : self._next + count]
        self._next += count
        return columns


@dataclass(frozen=True)
class Canvas:
    """Pictures being painted, and the face coordinates of their pixels.

    Attributes:
        pixels: (B, 3, H, W), in 0..1.
        u: (B, H, W), pixels to the right of the point between the eyes, in the tilted face's frame.
        v: (B, H, W), pixels below it.
        zoom: Pixels of the canvas to one of the 72 in which faces are described.
    """

    pixels: Numbers
    u: Plane
    v: Plane
    zoom: float = 1

    def part(self, window: Window) -> "Canvas":
        """A view of the canvas through a window of the 72 pixels; painting on it paints on this one."""
        rows, columns = self.scaled(window)
        u, v = self.u[:, rows, columns], self.v[:, rows, columns]
        return Canvas(self.pixels[:, :, rows, columns], u, v, self.zoom)

    def scaled(self, window: Window) -> Window:
        """Where a window of the 72 pixels lies on this canvas."""
        rows, columns = (
            slice(round(part.start * self.zoom), round(part.stop * self.zoom)) for part in window
        )
        return rows, columns

    def paint(self, cover: Plane, colour: Numbers) -> None:
        """Blends a colour (B, 3, 1 or H, 1 or W) over the pixels with opacity `cover` in 0..1."""
        difference = colour - self.pixels
        difference *= cover[:, None]
        np.add(self.pixels, difference, out=self.pixels)

    def shade(self, cover: Plane, strength: Plane | float) -> None:
        """Darkens by `strength` where `cover` is 1; a negative strength lightens."""
        np.multiply(self.pixels, (1 - cover * np.float32(strength))[:, None], out=self.pixels)


def soft(distance: Plane) -> Plane:
    """The opacity of a shape from the signed distance inside its edge, with an edge one pixel wide."""
    return (distance + np.float32(0.5)).clip(0, 1)


def ellipse(u: Plane, v: Plane, radius_u: Plane | float, radius_v: Plane | float) -> Plane:
    """The approximate signed distance in pixels inside an ellipse around the origin, (B, H, W)."""
    return (1 - _squared_ratio(u, v, radius_u, radius_v)) * (np.minimum(radius_u, radius_v) * np.float32(0.5))


def glow(u: Plane, v: Plane, radius_u: Plane | float, radius_v: Plane | float) -> Plane:
    """An opacity that falls smoothly from 1 at the origin to 0 at an ellipse."""
    falloff = np.maximum(1 - _squared_ratio(u, v, radius_u, radius_v), 0)
    falloff *= falloff
    return falloff


def line(distance: Plane, width: Plane | float) -> Plane:
    """The opacity of a stroke `width` pixels wide, from the distance to its centre line."""
    return soft(np.float32(width) / 2 - np.abs(distance))


def wave(phase: Plane) -> Plane:
    """A smooth wave of period 1 in 0..1."""
    triangle = np.abs(phase - np.floor(phase) - np.float32(0.5)) * 2
    values: Plane = triangle * triangle * (3 - 2 * triangle)
    return values


def texture(values: Numbers, place: Plane) -> Plane:
    """Reads rows of random numbers (B, n) as smooth noise at `place` (B, H, W); it repeats after n."""
    count = values.shape[1]
    steps = np.arange(4, dtype=np.float32) / 4
    following = np.roll(values, -1, axis=1)
    fine = (values[:, :, None] + (following - values)[:, :, None] * steps).reshape(len(values), -1)
    index = np.floor(place * 4).astype(np.int32) % np.int32(4 * count)
    index += (np.arange(len(values), dtype=np.int32) * np.int32(4 * count))[:, None, None]
    return fine.ravel().take(index)


def _squared_ratio(u: Plane, v: Plane, radius_u: Plane | float, radius_v: Plane | float) -> Plane:
    """0 at the origin, 1 on the ellipse."""
    across, down = u * np.float32(1 / radius_u), v * np.float32(1 / radius_v)
    across *= across
    down *= down
    across += down
    return across
