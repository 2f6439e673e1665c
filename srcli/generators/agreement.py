"""How far two generators that should be the same differ."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from srcli.generators.description import Description, Generator

EXACT = 1e-4
"""How far outputs, in [-1, 1], may lie apart if weights are equal and the arithmetic has 32 bits."""

ONE_LEVEL = 2 / 255
"""One level of an 8-bit picture: for weights rounded to 16 bits, or the shorter products of a GPU (TF32)."""

SEVERAL_SIZES = ((1, 4), (2, 6), (3, 10))
"""Numbers of pictures, and their sizes as `random_inputs` has them."""


def largest_difference(
    first: Generator, second: Generator, sizes: Sequence[tuple[int, int]] = SEVERAL_SIZES
) -> float:
    """The largest difference between two generators' outputs for random inputs."""
    differences = []
    for batch, multiples in sizes:
        inputs = random_inputs(first.description, batch, multiples)
        differences.append(float(np.abs(first.enlarge(inputs) - second.enlarge(inputs)).max()))
    return float(np.max(differences))  # NaN if one of them is


def random_inputs(description: Description, batch: int, multiples: int) -> NDArray[np.float32]:
    """Inputs that a generator takes; where it takes any size, they are not square.

    Args:
        multiples: How many times the least side that every generator takes, of 4 pixels or more.
    """
    random = np.random.default_rng(batch)
    if description.noise_size is not None:
        return random.standard_normal((batch, description.noise_size), dtype=np.float32)
    side = math.lcm(4, description.size_multiple)
    height = description.input_size or side * multiples
    width = description.input_size or side * (multiples + 1)
    return random.uniform(-1, 1, (batch, 3, height, width)).astype(np.float32)
