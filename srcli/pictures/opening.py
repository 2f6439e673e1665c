"""The one opener of picture files: first frame, within bounds, one wording for all that can be wrong."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from srcli.errors import ImageError
from srcli.pictures.formats import readable_formats, what_reads
from srcli.pictures.pixels import to_8_bits

MAX_PIXELS = 50_000_000
"""Pictures that declare more pixels than this are refused before they are decoded."""

_GREY_MODES = ("1", "L", "LA", "La")
_COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV")


def open_picture(source: Path | BinaryIO, name: str) -> Image.Image:
    """Decodes a picture as upright 8-bit RGB.

    Transparent parts are laid on white; 16-bit grey is scaled to 8 bits; colours are taken as stored,
    without regard to embedded colour profiles.

    Args:
        source: A file, or an open file at its start.
        name: How errors call the picture.

    Raises:
        ImageError: As `decoded`.
    """
    with decoded(source, name) as image:
        with suppress(Exception):  # Damaged EXIF data raise nearly anything, and turn nothing.
            ImageOps.exif_transpose(image, in_place=True)
        grey = sixteen_bit_grey(image)
        if grey is not None:
            return Image.fromarray(to_8_bits(grey)).convert("RGB")
        if plain_mode(image, name).endswith("A"):
            flat = Image.new("RGBA", image.size, "white")
            flat.alpha_composite(image.convert("RGBA"))
            return flat.convert("RGB")
        return image.convert("RGB")


@contextmanager
def decoded(source: Path | BinaryIO, name: str) -> Iterator[Image.Image]:
    """A block with a fully decoded picture as it is stored, the first frame of an animation.

    The content decides what a picture is, not its name. Arguments are those of `open_picture`.

    Raises:
        ImageError: `<name>: <reason>`, for anything that is not a whole picture of at most `MAX_PIXELS`, and
            for whatever else is raised in the block.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata, and of sizes, which are checked here.
            warnings.simplefilter("ignore")
            with Image.open(source, formats=readable_formats()) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                image.load()
                yield image
    except ImageError:
        raise
    # Damaged files make Pillow's decoders raise nearly anything: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        raise ImageError(f"{name}: {_reason(error, source)}") from error


def sixteen_bit_grey(image: Image.Image) -> NDArray[np.uint16] | None:
    """The pixels (h, w) of 16-bit grey; None of all other kinds."""
    # Pillow reads 16-bit grey PPMs as 32 bits, and older ones do so with PNGs.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return np.asarray(image).astype(np.uint16)
    return None


def plain_mode(image: Image.Image, name: str) -> str:
    """The one of Pillow's modes L, LA, RGB and RGBA that holds an 8-bit picture; A is transparency.

    Raises:
        ImageError: The range of its values is not known, as of 32-bit numbers.
    """
    if image.mode not in _GREY_MODES + _COLOUR_MODES:
        raise ImageError(f"{name}: it has pixels of the kind {image.mode}", "Save it as RGB or grey.")
    return ("L" if image.mode in _GREY_MODES else "RGB") + "A" * image.has_transparency_data


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
    return f"it is damaged or cut short ({' '.join(str(error).split()) or type(error).__name__})"


def _head(source: Path | BinaryIO) -> bytes:
    """The first bytes of a picture."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return file.read(12)
    source.seek(0)
    return source.read(12)
