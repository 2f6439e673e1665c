"""A picture between decoding and encoding: colours, transparency, and what belongs to them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from srcli.errors import ImageError
from srcli.pictures.pixels import to_8_bits
from srcli.upscaling.alpha import fill_hidden
from srcli.upscaling.bicubic import enlarge_rows
from srcli.upscaling.pixels import Pixels

_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}

# A JPEG segment holds 65,533 bytes; some are for the note of what made the picture.
_LONGEST_JPEG_EXIF = 65_000


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright.

    Attributes:
        colour: (h, w, 1) or (h, w, 3); 16 bits for 16-bit grey, else 8.
        alpha: (h, w), 255 being opaque; None for a picture without transparency.
        icc_profile: The profile that the colours are meant in; None for sRGB.
        exif: EXIF data without the orientation; empty if there are none.
        remarks: What was left out, for the user.
    """

    colour: Pixels
    alpha: NDArray[np.uint8] | None = None
    icc_profile: bytes | None = None
    exif: bytes = b""
    remarks: tuple[str, ...] = ()


def output_size(picture: Picture, scale: int, compare: bool) -> tuple[int, int]:
    """Width and height of the output, which is twice as wide where it stands beside the input."""
    height, width = picture.colour.shape[:2]
    return width * scale * (1 + compare), height * scale


def fit_format(picture: Picture, image_format: str, size: tuple[int, int], name: str) -> Picture:
    """The picture without what the output's format cannot hold.

    JPEG has no transparency and no EXIF data beyond 64 KiB, JPEG and WebP have no 16-bit pixels.

    Args:
        picture: The picture before it is enlarged.
        image_format: PNG, JPEG or WEBP.
        size: Width and height of the output.
        name: How the picture is called in messages.

    Raises:
        ImageError: Parts of the picture are transparent in JPEG, or the output is too long for the format.
    """
    width, height = size
    longest = _LONGEST_SIDE.get(image_format)
    if longest and max(height, width) > longest:
        raise ImageError(
            f"{name}: {width} x {height} is too large for {image_format}, which ends at {longest}",
            "Write it as PNG.",
        )
    if image_format == "JPEG" and picture.alpha is not None:
        if picture.alpha.min() < 255:
            raise ImageError(f"{name}: JPEG cannot hold its transparent parts", "Write it as PNG or WebP.")
        picture = replace(picture, alpha=None)
    if image_format == "JPEG" and len(picture.exif) > _LONGEST_JPEG_EXIF:
        remark = "its EXIF data are too long for JPEG and left out"
        picture = replace(picture, exif=b"", remarks=(*picture.remarks, remark))
    if image_format != "PNG" and picture.colour.dtype == np.uint16:
        picture = replace(picture, colour=to_8_bits(picture.colour))
    return picture


def show_visible(picture: Picture) -> Picture:
    """The picture with the colours under its transparent pixels replaced, so that they leave no fringe."""
    if picture.alpha is None:
        return picture
    return replace(picture, colour=fill_hidden(picture.colour, picture.alpha))


def finish_rows(picture: Picture, colour: Pixels, start: int, scale: int, compare: bool) -> Pixels:
    """Rows of the output: the enlarged colours, with transparency enlarged by a bicubic filter.

    Args:
        picture: The whole picture before it is enlarged.
        colour: The enlarged colours of some rows.
        start: The first of these rows in the picture.
        scale: How many times larger the output is.
        compare: Whether the picture's own bicubic enlargement stands to the left.

    Returns:
        (rows, width, channels), transparency last.
    """
    stop = start + len(colour) // scale
    if compare:
        colour = np.concatenate([enlarge_rows(picture.colour, start, stop, scale), colour], axis=1)
    if picture.alpha is None:
        return colour
    alpha = enlarge_rows(picture.alpha[..., None], start, stop, scale)
    return np.concatenate([colour, np.concatenate([alpha] * (1 + compare), axis=1)], axis=2)
