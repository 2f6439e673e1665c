"""Distributions of points in the plane that are customary in the field, and how well samples cover them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

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


class Shape(ABC):
    """A distribution in the plane whose modes or parts are equally likely.

    Attributes:
        centres: (K, 2), equally many of each part, in its order.
        deviation: Of the points from the nearest centre, on each axis.
    """

    def __init__(self, title: str, parts: int, centres: Tensor, deviation: float) -> None:
        self.title, self.parts, self.centres, self.deviation = title, parts, centres, deviation

    @abstractmethod
    def sample(self, count: int, random: Random) -> Tensor:
        """Points (count, 2)."""

    def coverage(self, samples: Tensor, enough: int, within: float) -> Coverage:
        """Which parts samples (N, 2) fall on, each counted for the nearest.

        Args:
            samples: Points of a generator.
            enough: How many good samples a part needs to count as covered; 1 by custom (Lin et al. 2018).
            within: How many deviations from the nearest centre a sample is good; 3 by custom (Srivastava et
                al. 2017).
        """
        distances, nearest = torch.cdist(samples, self.centres).min(dim=1)
        good = distances <= within * self.deviation
        parts = nearest // (len(self.centres) // self.parts)
        counts = torch.bincount(parts[good], minlength=self.parts)
        return Coverage(int((counts >= enough).sum()), float(good.double().mean()))


class Mixture(Shape):
    """Gaussians of one deviation at centres (K, 2), equally likely.

    1 - exp(-9 / 2) = 98.9 % of a perfect generator's samples lie within three deviations of a centre.
    """

    def __init__(self, title: str, centres: Tensor, deviation: float) -> None:
        super().__init__(title, len(centres), centres, deviation)

    def sample(self, count: int, random: Random) -> Tensor:
        """Points (count, 2)."""
        chosen = torch.randint(self.parts, (count,), generator=random)
        return self.centres[chosen] + self.deviation * torch.randn(count, 2, generator=random)


class SwissRoll(Shape):
    """A spiral of one and a half turns with noise across it.

    Its measures are scikit-learn's, over 7.5 as in Gulrajani et al. 2017's experiments. Its parts are 24
    pieces of equal angle, which are equally likely.
    """

    def __init__(self) -> None:
        count = 24 * 50  # centres: 0.03 apart at most, less than a deviation
        super().__init__("swiss roll", 24, self._spiral((torch.arange(count) + 0.5) / count), 0.25 / 7.5)

    def sample(self, count: int, random: Random) -> Tensor:
        """Points (count, 2)."""
        noise = self.deviation * torch.randn(count, 2, generator=random)
        return self._spiral(torch.rand(count, generator=random)) + noise

    @staticmethod
    def _spiral(places: Tensor) -> Tensor:
        """Points (N, 2) of the spiral; its angle and radius t goes from 1.5 pi to 4.5 pi."""
        angle = 1.5 * torch.pi * (1 + 2 * places)
        return torch.stack((angle * angle.cos(), angle * angle.sin()), dim=1) / 7.5


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
