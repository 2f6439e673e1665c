"""Opening picture files: upright, 8-bit RGB, within bounds."""

import warnings
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from srcli.errors import ImageError
from srcli.pictures.formats import readable_formats, what_reads

MAX_PIXELS = 50_000_000
"""Pictures that declare more pixels than this, a gigabyte of memory, are refused before they are decoded."""


def open_picture(source: Path | BinaryIO, name: str) -> Image.Image:
    """Decodes a picture fully: upright, 8-bit RGB, the first frame of an animation.

    Transparent parts are laid on white; 16-bit grey is scaled to 8 bits; colours are taken as stored,
    without regard to embedded colour profiles.

    Args:
        source: A file, or an open file at its start.
        name: How errors call the picture.

    Raises:
        ImageError: `<name>: <reason>`, for anything that is not a whole picture.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns about odd metadata; sizes are checked here, against our own limit.
            warnings.simplefilter("ignore")
            with Image.open(source, formats=readable_formats()) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ImageError(f"{name}: too large, {image.width} x {image.height} pixels")
                image.load()
                _turn_upright(image)
                return _as_rgb(image, name)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{name}: {_unknown(source)}") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name}: too large, over {MAX_PIXELS} pixels") from None
    except MemoryError:
        raise ImageError(f"{name}: too large for this machine's memory") from None
    # Damaged files make Pillow's decoders raise nearly anything: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        raise ImageError(f"{name}: {_reason(error)}") from error


def _turn_upright(image: Image.Image) -> None:
    """Turns the picture as its EXIF orientation says; unreadable metadata turns nothing."""
    with suppress(OSError, SyntaxError, ValueError, KeyError, TypeError, AttributeError, EOFError):
        ImageOps.exif_transpose(image, in_place=True)


def _as_rgb(image: Image.Image, name: str) -> Image.Image:
    """8-bit RGB from any mode whose range of values is known."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        grey = (np.asarray(image).astype(np.uint32) + 128) // 257  # 65535 = 257 * 255
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ImageError(f"{name}: its pixels are 32-bit numbers without a known range")
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        flat = Image.alpha_composite(paper, image.convert("RGBA"))
        del paper
        return flat.convert("RGB")
    return image.convert("RGB")


def _unknown(source: Path | BinaryIO) -> str:
    """Why Pillow does not know what this is."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            head = file.read(12)
    else:
        source.seek(0)
        head = source.read(12)
    return what_reads(head) or "not a picture, or damaged at its beginning"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    return f"damaged ({text})" if text else f"damaged ({type(error).__name__})"
