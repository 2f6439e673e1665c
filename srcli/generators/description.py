"""What a caller must know of a trained generator."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Generator(Protocol):
    """A trained generator and what a caller must know to feed it, whatever runs it.

    Attributes:
        name: Of the experiment that trained it.
        label: The name and the step.
        sha256: Of the weight file.
        scale: How many times larger the output is, per side.
        takes_noise: It draws faces from noise and enlarges nothing.
        input_size: The one side length it takes, in pixels; None for any size.
        size_multiple: Sides must be multiples of this many pixels.
        margin: Input pixels farther away than this have no influence on an output pixel.
        tile_size: Side of the squares that large pictures are enlarged in, in input pixels, without margins.
    """

    @property
    def name(self) -> str: ...
    @property
    def step(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def scale(self) -> int: ...
    @property
    def takes_noise(self) -> bool: ...
    @property
    def input_size(self) -> int | None: ...
    @property
    def size_multiple(self) -> int: ...
    @property
    def margin(self) -> int: ...
    @property
    def tile_size(self) -> int: ...

    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        """Enlarges pictures (B, 3, h, w) in [-1, 1] to (B, 3, 4h, 4w)."""

    def sample(self, count: int, seed: int) -> NDArray[np.float32]:
        """Draws `count` faces (count, 3, 64, 64) in [-1, 1] from standard normal noise."""
