"""What real pictures suffer between the scene and the file: blur, reduction, noise and JPEG, on one label.

The steps and their order are those of Real-ESRGAN's first round (Wang et al. 2021, section 3.1); BSRGAN
(Zhang et al. 2021) shuffles them. Pictures are 8-bit between two steps, as they are between two programs.
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
"""Period in pixels of what JPEG does: blocks are 8 wide, those of halved colours (4:2:0) 16."""

_BLUR_REACH = 4
"""A Gaussian is cut off at this many sigmas, as in scipy.ndimage."""

_FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "lanczos": Image.Resampling.LANCZOS,
}
_SUBSAMPLING = {"444": 0, "420": 2}
"""Pillow's numbers of how colours are stored."""


@dataclass(frozen=True)
class Blur:
    """A Gaussian.

    Attributes:
        sigma: Along its longer axis, in pixels of the label.
        ratio: Of the shorter axis to the longer, in (0, 1]; 1 is isotropic.
        angle: Of the longer axis to the picture's rows, in radians.
    """

    sigma: float
    ratio: float = 1.0
    angle: float = 0.0


@dataclass(frozen=True)
class Reduction:
    """How the label becomes small.

    Attributes:
        kernel: Of the last step.
        detour: A size on the way as a factor of the last, and the kernel to it; None where there is none.
    """

    kernel: Kernel = "area"
    detour: tuple[float, Kernel] | None = None


@dataclass(frozen=True)
class Noise:
    """Gaussian noise; sigmas are in levels of 255.

    Attributes:
        sigma: The same everywhere.
        is_grey: Whether all three colours of a pixel get the same number.
        shot_sigma: Of further noise that grows with the square root of the value, at white.
    """

    sigma: float = 0.0
    is_grey: bool = False
    shot_sigma: float = 0.0


@dataclass(frozen=True)
class Compression:
    """A round through JPEG.

    Attributes:
        quality: 1 to 100, by the tables of the IJG.
        subsampling: `420` halves the resolution of colours.
        offset: Rows and columns of the picture's corner from the grid's, 0 to GRID - 1.
    """

    quality: int
    subsampling: Literal["420", "444"] = "420"
    offset: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Degradation:
    """What is done to one label, in this order; what is None is not done."""

    blur: Blur | None = None
    reduction: Reduction = Reduction()
    noise: Noise | None = None
    compression: Compression | None = None


def degrade(label: Pixels, side: int, degradation: Degradation, random: np.random.Generator) -> Pixels:
    """A small picture of the label: (H, H, 3) -> (side, side, 3).

    Args:
        random: Where the values of noise come from; all else stands in `degradation`.
    """
    blurred = label if degradation.blur is None else blur(label, degradation.blur)
    small = reduce(blurred, side, degradation.reduction)
    noisy = small if degradation.noise is None else add_noise(small, degradation.noise, random)
    return noisy if degradation.compression is None else compress(noisy, degradation.compression)


def gaussian_kernel(settings: Blur) -> NDArray[np.float64]:
    """The Gaussian at whole pixels, of sum 1: (2r + 1, 2r + 1), r as in scipy.ndimage."""
    radius = int(_BLUR_REACH * settings.sigma + 0.5)
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    cosine, sine = np.cos(settings.angle), np.sin(settings.angle)
    along = (columns * cosine + rows * sine) / settings.sigma
    across = (rows * cosine - columns * sine) / (settings.sigma * settings.ratio)
    values = np.exp(-(along**2 + across**2) / 2)
    kernel: NDArray[np.float64] = values / values.sum()
    return kernel


def blur(pixels: Pixels, settings: Blur) -> Pixels:
    """Convolves each colour with the Gaussian; the picture is mirrored beyond its edges: (H, W, 3)."""
    kernel = gaussian_kernel(settings)
    radius = len(kernel) // 2
    edges = ((radius, radius), (radius, radius), (0, 0))
    padded = np.pad(pixels.astype(np.float64), edges, mode="symmetric")
    height, width, _ = padded.shape
    # Turned kernels do not separate; for their sizes a Fourier transform is faster than the sums themselves.
    place = np.zeros((height, width, 1))
    place[: len(kernel), : len(kernel), 0] = kernel
    spectrum = np.fft.rfft2(padded, axes=(0, 1)) * np.fft.rfft2(place, axes=(0, 1))
    convolved = np.fft.irfft2(spectrum, (height, width), axes=(0, 1))
    return to_uint8(convolved[2 * radius :, 2 * radius :])  # what wrapped around lies before


def reduce(pixels: Pixels, side: int, settings: Reduction) -> Pixels:
    """Resizes a square picture, maybe by way of another size: (H, H, 3) -> (side, side, 3)."""
    if settings.detour is not None:
        factor, kernel = settings.detour
        pixels = _resize(pixels, max(round(side * factor), 1), kernel)
    return _resize(pixels, side, settings.kernel)


def _resize(pixels: Pixels, side: int, kernel: Kernel) -> Pixels:
    """Pillow's resize, which widens its kernels as it reduces, or the exact area average."""
    if kernel == "area" and side <= len(pixels):
        return resize_area(pixels, side)
    # Enlarged areas are blocks; OpenCV, which the published pipelines use, interpolates linearly instead.
    resampling = _FILTERS["bilinear" if kernel == "area" else kernel]
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), resampling))


def add_noise(pixels: Pixels, settings: Noise, random: np.random.Generator) -> Pixels:
    """Adds both kinds of noise to (H, W, 3), rounded and clipped.

    Shot noise is that of many photons: Gaussian, its variance proportional to the value.
    """
    height, width, channels = pixels.shape
    values = random.standard_normal((height, width, 1 if settings.is_grey else channels)) * settings.sigma
    shot = random.standard_normal(pixels.shape) * np.sqrt(pixels / 255) * settings.shot_sigma
    return to_uint8(pixels + values + shot)


def compress(pixels: Pixels, settings: Compression) -> Pixels:
    """The picture (H, W, 3) after JPEG, cut out of one that begins up to GRID - 1 pixels before it.

    What lies before is the picture's mirror image, so that blocks across the edge hold nothing odd.
    """
    top, left = settings.offset
    whole = np.pad(pixels, ((top, 0), (left, 0), (0, 0)), mode="symmetric")
    # simplejpeg's encoder takes a fast, inexact transform below quality 96, which few programs do.
    file = io.BytesIO()
    subsampling = _SUBSAMPLING[settings.subsampling]
    image = Image.fromarray(np.ascontiguousarray(whole))
    image.save(file, "JPEG", quality=settings.quality, subsampling=subsampling)
    decoded: Pixels = simplejpeg.decode_jpeg(file.getbuffer())
    return decoded[top:, left:]
