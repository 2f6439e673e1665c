"""Reading pictures of any mode, with their metadata."""

import io
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from srcli.errors import ImageError
from srcli.pictures.formats import readable_formats, what_reads
from srcli.upscaling.pictures import Picture

MAX_PIXELS = 2**25
"""Larger pictures are refused before they are decoded: their output would have 16 times as many pixels."""

_GREY_MODES = ("1", "L", "LA", "La")
_COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV")

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

    Args:
        source: A file, or an open file at its start.
        name: The picture's name in messages.

    Raises:
        ImageError: It cannot be read, is damaged, has over `MAX_PIXELS` pixels or an unsupported pixel type.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns about odd metadata, and about sizes, which are checked here.
            warnings.simplefilter("ignore")
            with Image.open(source, formats=readable_formats()) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                image.load()
                return _decode(image, name)
    except ImageError:
        raise
    # Damaged files make Pillow's decoders raise nearly anything.
    except Exception as error:
        raise ImageError(f"{name}: {_reason(error, source)}") from error


def _decode(image: Image.Image, name: str) -> Picture:
    remarks = []
    # Frames are not counted: a file of a few megabytes can hold millions. The other pictures in a camera's
    # MPO are views and depth maps of the first.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        remarks.append("only its first frame is enlarged")
    try:
        exif = _turn_upright(image)
    except Exception:  # Damaged EXIF data raises nearly anything, but does not spoil the picture.
        exif = b""
        remarks.append("its EXIF data is damaged and was dropped")
    profile = image.info.get("icc_profile")
    if image.mode == "CMYK" and profile:
        try:
            image, profile = _cmyk_to_srgb(image, profile), None
        except (ImageCms.PyCMSError, OSError) as error:
            raise ImageError(f"{name}: its CMYK colour profile is damaged ({error})") from error
    pixels = _pixels(image, name)
    channels = pixels.shape[2]
    has_alpha = channels in (2, 4)
    return Picture(
        colour=pixels[..., : channels - has_alpha],
        alpha=pixels[..., -1] if has_alpha else None,
        icc_profile=profile,
        exif=exif,
        remarks=tuple(remarks),
    )


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


def _cmyk_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None  # None is for conversions in place.
    return converted


def _pixels(image: Image.Image, name: str) -> NDArray[Any]:
    """(h, w, 1 or 3), with alpha (h, w, 2 or 4); 8 bits, or 16 for 16-bit grey."""
    # Pillow reads 16-bit grey PPMs as 32 bits, and older ones do so with PNGs.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return np.asarray(image).astype(np.uint16)[..., None]
    if image.mode in _GREY_MODES:
        mode = "LA" if image.has_transparency_data else "L"
    elif image.mode in _COLOUR_MODES:
        mode = "RGBA" if image.has_transparency_data else "RGB"
    else:
        raise ImageError(f"{name}: pixels of type {image.mode} cannot be enlarged", "Save it as RGB or grey.")
    pixels = np.asarray(image.convert(mode))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _reason(error: Exception, source: Path | BinaryIO) -> str:
    if isinstance(error, UnidentifiedImageError):
        head = _head(source)
        if not head:
            return "it is empty"
        return what_reads(head) or f"it is not a picture of {', '.join(readable_formats())}"
    if isinstance(error, Image.DecompressionBombError):
        return f"it is too large, with more than {MAX_PIXELS:,} pixels"
    if isinstance(error, MemoryError):
        return "it is too large for this machine's memory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"it is damaged or truncated ({' '.join(str(error).split()) or type(error).__name__})"


def _head(source: Path | BinaryIO) -> bytes:
    """The first bytes of a picture."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return file.read(12)
    source.seek(0)
    return source.read(12)
