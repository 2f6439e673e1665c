"""How often and how strongly training inputs are degraded, and random draws of it.

The defaults are one round of what BSRGAN, Real-ESRGAN and GFPGAN do, with ranges for faces of 16 to 100
pixels; `docs/degradation.md` compares them. A draw consumes the same number of random values whatever the
settings, so that changing one setting leaves the other draws as they were.
"""

from typing import Annotated, Literal, Self, TypeVar

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from srcli.data.degradation import GRID, Blur, Compression, Degradation, Kernel, Noise, Reduction


def _in_order(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError("should name the smaller end first")
    return ends


_Number = TypeVar("_Number", int, float)
Range = Annotated[tuple[_Number, _Number], Field(strict=False), AfterValidator(_in_order)]
"""Two numbers, the smaller one first."""

_Share = Annotated[float, Field(ge=0, le=1)]
_Weight = Annotated[float, Field(ge=0, le=1e6)]
_Sigmas = Range[Annotated[float, Field(ge=0.1, le=16)]]
_Ratios = Range[Annotated[float, Field(ge=0.1, le=1)]]
_Factors = Range[Annotated[float, Field(ge=0.25, le=4)]]
_Levels = Range[Annotated[float, Field(ge=0, le=255)]]
_Qualities = Range[Annotated[int, Field(ge=1, le=100)]]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class BlurSettings(_Settings):
    """Gaussian blur of the label."""

    probability: _Share = 0.5
    sigma: _Sigmas = Field(default=(0.2, 2.0), description="along the longer axis, in pixels of the label")
    anisotropic_share: _Share = Field(default=0.5, description="of blurs that are anisotropic")
    ratio: _Ratios = Field(default=(0.6, 1.0), description="of the shorter axis to the longer")

    def draw(self, random: np.random.Generator) -> Blur | None:
        """Draws a blur with a uniform angle; None with probability 1 - `probability`."""
        happens, anisotropic = random.random(2) < (self.probability, self.anisotropic_share)
        low, high = zip(self.sigma, self.ratio, (0.0, np.pi), strict=True)
        sigma, ratio, angle = random.uniform(low, high).tolist()
        if not happens:
            return None
        return Blur(sigma, ratio, angle) if anisotropic else Blur(sigma)


class ReductionSettings(_Settings):
    """Weights of the downscaling kernels, and how often there are two steps."""

    area: _Weight = 0.5
    bicubic: _Weight = 0.25
    bilinear: _Weight = 0.15
    lanczos: _Weight = 0.1
    detour_share: _Share = Field(default=1 / 3, description="of inputs resized via another size")
    detour: _Factors = Field(default=(0.5, 1.5), description="that size, as a factor of the input's")

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        if sum(self._weights()) == 0:
            raise ValueError("should give one of area, bicubic, bilinear and lanczos a weight above 0")
        return self

    def draw(self, random: np.random.Generator) -> Reduction:
        """Draws a downscaling; the kernels of its two steps are independent."""
        kernels: tuple[Kernel, ...] = ("area", "bicubic", "bilinear", "lanczos")
        bounds = np.cumsum(self._weights())
        places = np.searchsorted(bounds, random.random(2) * bounds[-1], side="right")
        last, first = (kernels[place] for place in places)
        factor = random.uniform(*self.detour)
        return Reduction(last, (factor, first) if random.random() < self.detour_share else None)

    def _weights(self) -> tuple[float, ...]:
        return self.area, self.bicubic, self.bilinear, self.lanczos


class NoiseSettings(_Settings):
    """Gaussian noise on the input, independent of the signal."""

    probability: _Share = 0.4
    sigma: _Levels = Field(default=(0.0, 10.0), description="of 255")
    grey_share: _Share = Field(default=0.4, description="of noisy inputs with the same noise in all colours")


class ShotNoiseSettings(_Settings):
    """Signal-dependent noise on the input, its variance proportional to the value, like photon noise."""

    probability: _Share = 0.2
    sigma: _Levels = Field(default=(0.0, 10.0), description="of 255, at white")


class JpegSettings(_Settings):
    """JPEG compression of the input, with its block grid at a random offset."""

    probability: _Share = 0.6
    quality: _Qualities = (50, 95)
    subsampled_share: _Share = Field(0.5, description="of compressed inputs with 4:2:0; the rest have 4:4:4")

    def draw(self, random: np.random.Generator) -> Compression | None:
        """Draws a JPEG compression; None with probability 1 - `probability`."""
        happens, subsampled = random.random(2) < (self.probability, self.subsampled_share)
        quality = int(random.integers(*self.quality, endpoint=True))
        top, left = random.integers(0, GRID, 2).tolist()
        subsampling: Literal["420", "444"] = "420" if subsampled else "444"
        return Compression(quality, subsampling, (top, left)) if happens else None


class DegradationSettings(_Settings):
    """How training inputs are made from labels."""

    exact_share: _Share = Field(default=0.5, description="of inputs that stay exact averages")
    blur: BlurSettings = BlurSettings()
    reduction: ReductionSettings = ReductionSettings()
    noise: NoiseSettings = NoiseSettings()
    shot_noise: ShotNoiseSettings = ShotNoiseSettings()
    jpeg: JpegSettings = JpegSettings()

    def draw(self, random: np.random.Generator) -> Degradation | None:
        """Draws the degradation of one label; None if its input stays the exact average."""
        is_exact = random.random() < self.exact_share
        blur, reduction = self.blur.draw(random), self.reduction.draw(random)
        noise, compression = self._draw_noise(random), self.jpeg.draw(random)
        return None if is_exact else Degradation(blur, reduction, noise, compression)

    def _draw_noise(self, random: np.random.Generator) -> Noise | None:
        kinds = (self.noise, self.shot_noise)
        happens = random.random(2) < [kind.probability for kind in kinds]
        is_grey = bool(random.random() < self.noise.grey_share)
        low, high = zip(*(kind.sigma for kind in kinds), strict=True)
        sigma, shot_sigma = (random.uniform(low, high) * happens).tolist()
        return Noise(sigma, is_grey, shot_sigma) if happens.any() else None
