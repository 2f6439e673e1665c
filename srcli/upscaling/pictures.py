"""A picture between decoding and encoding: colours, transparency and metadata."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from srcli.errors import ImageError
from srcli.pictures.pixels import to_8_bits
from srcli.upscaling.bicubic import enlarge_rows
from srcli.upscaling.pixels import Pixels

_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}

# A JPEG segment holds 65,533 bytes, some of which the provenance needs.
_LONGEST_JPEG_EXIF = 65_000


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright.

    Attributes:
        colour: (h, w, 1) or (h, w, 3); 16 bits for 16-bit grey, else 8.
        alpha: (h, w), 255 is opaque; None for a picture without transparency.
        icc_profile: The profile of the colours; None for sRGB.
        exif: EXIF data without the orientation; empty if there is none.
        jpeg_quality: The quality that a JPEG was saved with, estimated; None for other formats.
        remarks: Messages for the user about what was dropped.
    """

    colour: Pixels
    alpha: NDArray[np.uint8] | None = None
    icc_profile: bytes | None = None
    exif: bytes = b""
    remarks: tuple[str, ...] = ()
    jpeg_quality: int | None = None


def fit_format(picture: Picture, image_format: str, size: tuple[int, int], name: str) -> Picture:
    """Removes what the output's format cannot hold.

    JPEG has no transparency and no EXIF data beyond 64 KiB, JPEG and WebP have no 16-bit pixels.

    Args:
        image_format: PNG, JPEG or WEBP.
        size: Width and height of the output.

    Raises:
        ImageError: The picture is transparent and the format JPEG, or the output is too large for the format.
    """
    width, height = size
    longest = _LONGEST_SIDE.get(image_format)
    if longest and max(height, width) > longest:
        raise ImageError(
            f"{name}: {width} x {height} is too large for {image_format}, whose limit is {longest}",
            "Write it as PNG.",
        )
    if image_format == "JPEG" and picture.alpha is not None:
        if picture.alpha.min() < 255:
            raise ImageError(f"{name}: JPEG cannot store its transparency", "Write it as PNG or WebP.")
        picture = replace(picture, alpha=None)
    if image_format == "JPEG" and len(picture.exif) > _LONGEST_JPEG_EXIF:
        remark = "its EXIF data is too long for JPEG and was dropped"
        picture = replace(picture, exif=b"", remarks=(*picture.remarks, remark))
    if image_format != "PNG" and picture.colour.dtype == np.uint16:
        picture = replace(picture, colour=to_8_bits(picture.colour))
    return picture


def show_visible(picture: Picture) -> Picture:
    """Fills in the colours under transparent pixels, so that they leave no fringe."""
    if picture.alpha is None:
        return picture
    return replace(picture, colour=fill_hidden(picture.colour, picture.alpha))


def fill_hidden(colour: Pixels, alpha: NDArray[np.uint8]) -> Pixels:
    """Replaces the colours of fully transparent pixels by those of the visible pixels around them.

    Colours under transparent pixels are arbitrary, often black, and a network would blend them into the
    visible edge as a dark fringe. Shapes are (h, w, channels) and (h, w).
    """
    visible = alpha > 0
    if visible.all() or not visible.any():
        return colour
    filled = _fill(colour.astype(np.float32), visible.astype(np.float32)[..., None])
    return np.where(visible[..., None], colour, np.rint(filled).astype(colour.dtype))


def _fill(colour: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fills pixels of weight 0 from the picture at half size, itself filled (pull-push)."""
    if weight.all():
        return colour
    total = _sum_of_squares(weight)
    means = _sum_of_squares(colour * weight) / total.clip(min=1)
    coarse = _fill(means, total.clip(max=1)).repeat(2, axis=0).repeat(2, axis=1)
    fine = coarse[: colour.shape[0], : colour.shape[1]]
    return np.where(weight > 0, colour, fine)


def _sum_of_squares(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sums over 2x2 squares: (h, w, c) -> (ceil(h/2), ceil(w/2), c)."""
    height, width = values.shape[:2]
    even = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    return even[0::2, 0::2] + even[1::2, 0::2] + even[0::2, 1::2] + even[1::2, 1::2]


def finish_rows(picture: Picture, colour: Pixels, start: int, scale: int, compare: bool) -> Pixels:
    """Output rows (n, width, channels): the enlarged colours, and bicubically enlarged transparency last.

    Args:
        picture: The whole picture before it is enlarged.
        colour: Enlarged colours of some rows, of which `start` is the first in the picture.
        compare: Whether to put the picture's bicubic enlargement to the left.
    """
    stop = start + len(colour) // scale
    if compare:
        colour = np.concatenate([enlarge_rows(picture.colour, start, stop, scale), colour], axis=1)
    if picture.alpha is None:
        return colour
    alpha = enlarge_rows(picture.alpha[..., None], start, stop, scale)
    return np.concatenate([colour, np.concatenate([alpha] * (1 + compare), axis=1)], axis=2)
