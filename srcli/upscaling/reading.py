"""Reading pictures of any mode, with their transparency, EXIF data and colour profile."""

import io
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps

from srcli.errors import ImageError
from srcli.pictures.jpeg_quality import jpeg_quality
from srcli.pictures.opening import decoded, plain_mode, sixteen_bit_grey
from srcli.upscaling.pictures import Picture

# The TIFF tags that describe the picture; the others describe how its pixels are stored.
_TIFF_DESCRIPTION = {
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
    ExifTags.IFD.Exif,
    ExifTags.IFD.GPSInfo,
}


def read_picture(source: Path | BinaryIO, name: str) -> Picture:
    """Decodes the first frame of a picture; its content decides the format, not its name.

    16-bit grey is kept; 16-bit colour is reduced to 8 bits. CMYK becomes sRGB, through its profile if it has
    one. Palettes become RGB.

    Raises:
        ImageError: As `decoded`, whose arguments these are, or its CMYK profile is damaged.
    """
    with decoded(source, name) as image:
        return picture_of(image, name)


def picture_of(image: Image.Image, name: str) -> Picture:
    """An open picture as `read_picture` gives it; its orientation is applied in place.

    Raises:
        ImageError: It has an unusual kind of pixels, or its CMYK profile is damaged.
    """
    remarks, quality = [], jpeg_quality(image)
    # Frames are not counted: a file of a few megabytes can hold millions. The other pictures in a
    # camera's MPO are views and depth maps of the first.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        remarks.append("only its first frame is enlarged")
    try:
        exif = _turn_upright(image)
    except Exception:  # Damaged EXIF data raise nearly anything, and are no reason to refuse the picture.
        exif = b""
        remarks.append("its EXIF data is damaged and was dropped")
    profile = image.info.get("icc_profile")
    if image.mode == "CMYK" and profile:
        pixels, profile = np.asarray(_cmyk_to_srgb(image, profile, name)), None
    else:
        pixels = _pixels(image, name)
    if pixels.shape[2] in (1, 3):
        return Picture(pixels, None, profile, exif, tuple(remarks), quality)
    return Picture(pixels[..., :-1], pixels[..., -1], profile, exif, tuple(remarks), quality)


def _turn_upright(image: Image.Image) -> bytes:
    """Applies the EXIF orientation in place and returns the other EXIF data."""
    exif = image.getexif()
    if image.info.get("exif") and not exif:
        raise ValueError("this EXIF data has no tags")
    ImageOps.exif_transpose(image, in_place=True)
    exif.pop(ExifTags.Base.Orientation, None)
    if image.format == "TIFF":
        for tag in set(exif) - _TIFF_DESCRIPTION:
            del exif[tag]
    return exif.tobytes() if exif else b""


def _cmyk_to_srgb(image: Image.Image, profile: bytes, name: str) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        raise ImageError(f"{name}: its CMYK colour profile is damaged ({error})") from error
    assert converted is not None  # None is for conversions in place.
    return converted


def _pixels(image: Image.Image, name: str) -> NDArray[Any]:
    """(h, w, 1) or (h, w, 3), with alpha (h, w, 2) or (h, w, 4); 8 bits, or 16 for 16-bit grey."""
    pixels: NDArray[Any] | None = sixteen_bit_grey(image)
    if pixels is None:
        pixels = np.asarray(image.convert(plain_mode(image, name)))
    return pixels if pixels.ndim == 3 else pixels[..., None]
