"""Distributions of points in the plane that are customary in the field, and how well samples cover them."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from srcli.reproduction.studies.networks import Random

ShapeName = Literal["8-gaussians", "25-gaussians", "swiss-roll"]


class Coverage(NamedTuple):
    """How samples spread over a distribution.

    Attributes:
        covered: How many of its modes, or parts of equal probability, got enough good samples.
        good_share: The share of samples that are good, near enough to the distribution, in [0, 1].
    """

    covered: int
    good_share: float


class Shape(Protocol):
    """A distribution in the plane with known modes or parts."""

    title: str
    parts: int

    def sample(self, count: int, random: Random) -> Tensor:
        """Points (count, 2)."""

    def coverage(self, samples: Tensor, enough: int, within: float) -> Coverage:
        """Which parts samples (N, 2) fall on.

        Args:
            samples: Points of a generator.
            enough: How many good samples a part needs to count as covered; 1 by custom (Lin et al. 2018).
            within: How many deviations from the nearest centre a sample is good; 3 by custom (Srivastava et
                al. 2017).
        """


class Mixture:
    """Gaussians of one deviation at centres (K, 2), equally likely.

    1 - exp(-9 / 2) = 98.9 % of a perfect generator's samples lie within three deviations of a centre.
    """

    def __init__(self, title: str, centres: Tensor, deviation: float) -> None:
        self.title, self.centres, self.deviation = title, centres, deviation
        self.parts = len(centres)

    def sample(self, count: int, random: Random) -> Tensor:
        """Points (count, 2)."""
        chosen = torch.randint(self.parts, (count,), generator=random)
        return self.centres[chosen] + self.deviation * torch.randn(count, 2, generator=random)

    def coverage(self, samples: Tensor, enough: int, within: float) -> Coverage:
        """Which Gaussians samples (N, 2) fall on, each counted for the nearest."""
        distances, nearest = torch.cdist(samples, self.centres).min(dim=1)
        return _count(nearest, distances <= within * self.deviation, self.parts, enough)


class SwissRoll:
    """A spiral of one and a half turns with noise across it.

    Its measures are scikit-learn's, over 7.5 as in Gulrajani et al. 2017's experiments. Its parts are pieces
    of equal angle, which are equally likely.
    """

    title = "swiss roll"
    parts = 24
    deviation = 0.25 / 7.5

    def sample(self, count: int, random: Random) -> Tensor:
        """Points (count, 2)."""
        noise = self.deviation * torch.randn(count, 2, generator=random)
        return self._spiral(torch.rand(count, generator=random)) + noise

    def coverage(self, samples: Tensor, enough: int, within: float) -> Coverage:
        """Which pieces samples (N, 2) fall on, each counted for the nearest."""
        each = 50  # places a piece: 0.03 apart at most, less than a deviation
        places = (torch.arange(self.parts * each) + 0.5) / (self.parts * each)
        distances, nearest = torch.cdist(samples, self._spiral(places)).min(dim=1)
        return _count(nearest // each, distances <= within * self.deviation, self.parts, enough)

    @staticmethod
    def _spiral(places: Tensor) -> Tensor:
        """Points (N, 2) of the spiral; its angle and radius t goes from 1.5 pi to 4.5 pi."""
        angle = 1.5 * torch.pi * (1 + 2 * places)
        return torch.stack((angle * angle.cos(), angle * angle.sin()), dim=1) / 7.5


def _count(parts: Tensor, good: Tensor, count: int, enough: int) -> Coverage:
    counts = torch.bincount(parts[good], minlength=count)
    return Coverage(int((counts >= enough).sum()), float(good.double().mean()))


def _ring() -> Mixture:
    """Eight on a circle of radius 2 with deviation 0.02 (Metz et al. 2017, appendix)."""
    angles = torch.arange(8) * (torch.pi / 4)
    centres = 2 * torch.stack((angles.cos(), angles.sin()), dim=1)
    return Mixture("8 Gaussians", centres / 2**0.5, 0.02 / 2**0.5)


def _grid() -> Mixture:
    """Twenty-five, 2 apart, of deviation 0.05 (Srivastava et al. 2017, section 4.1)."""
    side = 2.0 * torch.arange(-2, 3)
    return Mixture("25 Gaussians", torch.cartesian_prod(side, side) / 8**0.5, 0.05 / 8**0.5)


SHAPES: Mapping[ShapeName, Callable[[], Shape]] = {
    "8-gaussians": _ring,
    "25-gaussians": _grid,
    "swiss-roll": SwissRoll,
}
"""All are scaled to a deviation of about 1 an axis, as in Gulrajani et al. 2017's experiments."""
