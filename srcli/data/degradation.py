"""Degrading one label as real pictures are degraded: blur, downscaling, noise and JPEG.

The steps and their order are those of Real-ESRGAN's first round (Wang et al. 2021, section 3.1); BSRGAN
(Zhang et al. 2021) shuffles them. Pixels are rounded to 8 bits between steps, as between programs.
"""

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from srcli.pictures.pixels import Pixels, to_uint8
from srcli.pictures.resize import resize_area

Kernel = Literal["area", "bicubic", "bilinear", "lanczos"]

GRID = 16
"""Period of JPEG artefacts in pixels: blocks are 8 wide, those of subsampled colours (4:2:0) 16."""

_BLUR_REACH = 4
"""A Gaussian is cut off at this many sigmas, as in scipy.ndimage."""


@dataclass(frozen=True)
class Blur:
    """A Gaussian blur.

    Attributes:
        sigma: Along its longer axis, in pixels of the label.
        ratio: Of the shorter axis to the longer, in (0, 1]; 1 is isotropic.
        angle: Between the longer axis and the rows, in radians.
    """

    sigma: float
    ratio: float = 1.0
    angle: float = 0.0


@dataclass(frozen=True)
class Reduction:
    """How the label is downscaled.

    Attributes:
        kernel: Of the last step.
        detour: An intermediate size, as a factor of the final one, and the kernel to reach it; None for none.
    """

    kernel: Kernel = "area"
    detour: tuple[float, Kernel] | None = None


@dataclass(frozen=True)
class Noise:
    """Gaussian noise; sigmas are in levels of 255.

    Attributes:
        sigma: Of the signal-independent noise.
        is_grey: Whether a pixel's three channels share one value.
        shot_sigma: Of additional shot noise at white; it grows with the square root of the value.
    """

    sigma: float = 0.0
    is_grey: bool = False
    shot_sigma: float = 0.0


@dataclass(frozen=True)
class Compression:
    """A round through JPEG.

    Attributes:
        quality: 1 to 100, with the IJG's tables.
        subsampling: `420` halves the colour resolution.
        offset: Rows and columns from the block grid's corner to the picture's, 0 to GRID - 1.
    """

    quality: int
    subsampling: Literal["420", "444"] = "420"
    offset: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Degradation:
    """The degradation of one label, in this order; None skips a step."""

    blur: Blur | None = None
    reduction: Reduction = Reduction()
    noise: Noise | None = None
    compression: Compression | None = None


def degrade(label: Pixels, side: int, degradation: Degradation, random: np.random.Generator) -> Pixels:
    """Degrades and downscales a label: (H, H, 3) -> (side, side, 3); only noise is drawn."""
    blurred = label if degradation.blur is None else blur(label, degradation.blur)
    small = reduce(blurred, side, degradation.reduction)
    noisy = small if degradation.noise is None else add_noise(small, degradation.noise, random)
    return noisy if degradation.compression is None else compress(noisy, degradation.compression)


def gaussian_kernel(settings: Blur) -> NDArray[np.float64]:
    """The Gaussian at integer pixels, with sum 1: (2r + 1, 2r + 1), r as in scipy.ndimage."""
    radius = int(_BLUR_REACH * settings.sigma + 0.5)
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    cosine, sine = np.cos(settings.angle), np.sin(settings.angle)
    along = (columns * cosine + rows * sine) / settings.sigma
    across = (rows * cosine - columns * sine) / (settings.sigma * settings.ratio)
    values = np.exp(-(along**2 + across**2) / 2)
    return np.asarray(values / values.sum())


def blur(pixels: Pixels, settings: Blur) -> Pixels:
    """Convolves each channel of (H, W, 3) with the Gaussian, mirroring at the edges."""
    kernel = gaussian_kernel(settings)
    radius = len(kernel) // 2
    padded = np.pad(pixels.astype(float), ((radius, radius), (radius, radius), (0, 0)), mode="symmetric")
    height, width, _ = padded.shape
    # Rotated kernels are not separable; at these sizes an FFT is faster than direct sums.
    place = np.zeros((height, width, 1))
    place[: len(kernel), : len(kernel), 0] = kernel
    spectrum = np.fft.rfft2(padded, axes=(0, 1)) * np.fft.rfft2(place, axes=(0, 1))
    convolved = np.fft.irfft2(spectrum, (height, width), axes=(0, 1))
    return to_uint8(convolved[2 * radius :, 2 * radius :])  # the rest has wrapped around


def reduce(pixels: Pixels, side: int, settings: Reduction) -> Pixels:
    """Resizes a square picture, possibly via another size: (H, H, 3) -> (side, side, 3)."""
    if settings.detour is not None:
        factor, kernel = settings.detour
        pixels = _resize(pixels, max(round(side * factor), 1), kernel)
    return _resize(pixels, side, settings.kernel)


def _resize(pixels: Pixels, side: int, kernel: Kernel) -> Pixels:
    """Pillow's resize, which antialiases when downscaling, or the exact area average."""
    if kernel == "area" and side <= len(pixels):
        return resize_area(pixels, side)
    # OpenCV, used by the published pipelines, enlarges `area` by linear interpolation, not in blocks.
    resampling = Image.Resampling["BILINEAR" if kernel == "area" else kernel.upper()]
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), resampling))


def add_noise(pixels: Pixels, settings: Noise, random: np.random.Generator) -> Pixels:
    """Adds both kinds of noise to (H, W, 3), rounded and clipped.

    Shot noise is Gaussian with a variance proportional to the value, the limit of many photons.
    """
    height, width, channels = pixels.shape
    values = random.standard_normal((height, width, 1 if settings.is_grey else channels)) * settings.sigma
    shot = random.standard_normal(pixels.shape) * np.sqrt(pixels / 255) * settings.shot_sigma
    return to_uint8(pixels + values + shot)


def compress(pixels: Pixels, settings: Compression) -> Pixels:
    """The picture (H, W, 3) after JPEG, cropped from one that starts up to GRID - 1 pixels earlier.

    The margin is the picture's mirror image, so that blocks across the edge look natural.
    """
    top, left = settings.offset
    whole = np.pad(pixels, ((top, 0), (left, 0), (0, 0)), mode="symmetric")
    # simplejpeg's encoder uses a fast, inexact DCT below quality 96, as few programs do.
    file = io.BytesIO()
    subsampling = ":".join(settings.subsampling)  # as Pillow calls it
    image = Image.fromarray(np.ascontiguousarray(whole))
    image.save(file, "JPEG", quality=settings.quality, subsampling=subsampling)
    decoded: Pixels = simplejpeg.decode_jpeg(file.getbuffer())
    return decoded[top:, left:]
