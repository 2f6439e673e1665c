"""Pictures in and out: decoding, cropping, resizing, and the two number ranges they live in."""

import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from srcli.errors import ImageError
from srcli.picture_formats import readable_formats, what_reads
from srcli.storage.atomic import replacing

FACE_SIZE = 72
"""Least side of a stored face in pixels: the paper's box with 4 of jitter on every side, at half size."""
LABEL_SIZE = 64
SCALE = 4

MAX_PIXELS = 50_000_000
"""Pictures that declare more pixels than this, a gigabyte of memory, are refused before they are decoded."""

Pixels = NDArray[np.uint8]


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


def area_average(pixels: NDArray[Any], factor: int) -> NDArray[np.float64]:
    """The exact mean of every `factor` x `factor` block: (..., H, W, C) -> (..., H/factor, W/factor, C)."""
    *lead, height, width, channels = pixels.shape
    if height % factor or width % factor:
        raise ValueError(f"{height} x {width} is no multiple of {factor}")
    total = np.zeros((*lead, height // factor, width // factor, channels))
    for row in range(factor):
        for column in range(factor):
            total += pixels[..., row::factor, column::factor, :]
    return total / factor**2


def resize_area(square: Pixels, side: int) -> Pixels:
    """Area-averages a square picture: (H, H, 3) -> (side, side, 3), rounded; itself where H is the side.

    Each pixel counts by how much of it the result's pixel covers; Pillow's box filter takes it or leaves it.
    """
    size = len(square)
    if size == side:
        return square
    # Whole numbers of at most 255 H^2, so that the sums are exact in whatever order they are taken.
    exact: type[np.floating[Any]] = np.float32 if 255 * size**2 < 2**24 else np.float64
    weights = _coverage(size, side).astype(exact)
    rows = np.tensordot(weights, square.astype(exact), (1, 0))  # (side, H, 3)
    sums = np.tensordot(weights, rows, (1, 1)).swapaxes(0, 1)  # (side, side, 3)
    return to_uint8(np.divide(sums, size**2, dtype=np.float64))


def to_uint8(values: NDArray[Any]) -> Pixels:
    """Rounds values in 0..255 half up; what lies outside is clipped."""
    rounded: Pixels = np.floor(np.clip(values, 0, 255) + 0.5).astype(np.uint8)
    return rounded


def low_res_of(labels: Pixels) -> Pixels:
    """The networks' input from the labels, by 4x4 area averaging: (N, 64, 64, 3) -> (N, 16, 16, 3)."""
    return to_uint8(area_average(labels, SCALE))


def centre_window(faces: Pixels) -> Pixels:
    """The paper's box without jitter, 8/9 of a face's side, area-averaged: (N, S, S, 3) -> (N, 64, 64, 3).

    Of faces of 72 pixels it is a view.
    """
    size = faces.shape[1]
    side = round(size * LABEL_SIZE / FACE_SIZE)
    margin = (size - side) // 2
    windows = faces[:, margin : margin + side, margin : margin + side]
    if side == LABEL_SIZE:
        return windows
    labels = np.empty((len(faces), LABEL_SIZE, LABEL_SIZE, 3), np.uint8)
    for label, window in zip(labels, windows, strict=True):
        label[:] = resize_area(window, LABEL_SIZE)
    return labels


def enlarge_bicubic(low_res: Pixels, scale: int = SCALE) -> Pixels:
    """Pillow's bicubic enlargement, the baseline: (N, h, w, 3) -> (N, scale h, scale w, 3)."""
    count, height, width, channels = low_res.shape
    enlarged = np.empty((count, height * scale, width * scale, channels), np.uint8)
    for index, pixels in enumerate(low_res):
        image = Image.fromarray(np.ascontiguousarray(pixels))
        enlarged[index] = np.asarray(image.resize((width * scale, height * scale), Image.Resampling.BICUBIC))
    return enlarged


def enlarge_nearest(low_res: Pixels, scale: int = SCALE) -> Pixels:
    """Every pixel repeated: (N, h, w, 3) -> (N, scale h, scale w, 3)."""
    return low_res.repeat(scale, axis=1).repeat(scale, axis=2)


def to_network(pixels: Pixels) -> NDArray[np.float32]:
    """(N, H, W, 3) in 0..255 -> (N, 3, H, W) in [-1, 1]."""
    channels_first = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    return channels_first.astype(np.float32) / np.float32(127.5) - np.float32(1)


def from_network(values: NDArray[np.floating[Any]]) -> Pixels:
    """(N, 3, H, W) in [-1, 1] -> (N, H, W, 3) in 0..255, rounded and clipped."""
    return to_uint8((values.transpose(0, 2, 3, 1) + 1) * 127.5)


def grid(rows: Sequence[Sequence[Pixels]], gap: int = 2, background: int = 255) -> Pixels:
    """One picture of many: the cells (H, W, 3) of a row share a height, rows may differ in length.

    Args:
        rows: The cells, row by row, left to right.
        gap: Pixels between cells; none around them.
        background: The grey in gaps and beyond short rows, 0..255.
    """
    widths = [sum(cell.shape[1] + gap for cell in row) - gap for row in rows]
    heights = [row[0].shape[0] for row in rows]
    sheet = np.full((sum(heights) + gap * (len(rows) - 1), max(widths), 3), background, np.uint8)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for cell in row:
            sheet[top : top + height, left : left + cell.shape[1]] = cell
            left += cell.shape[1] + gap
        top += height + gap
    return sheet


def write_png(path: Path, pixels: Pixels) -> None:
    """Writes (H, W, 3) as a PNG, whole or not at all."""
    with replacing(path) as file:
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")


def _coverage(pixels: int, parts: int) -> NDArray[np.int64]:
    """How many `parts`-ths of each pixel lie in each of `parts` equal parts of a line: (parts, pixels)."""
    bounds = np.arange(parts + 1)[:, None] * pixels
    starts = np.arange(pixels)[None, :] * parts
    overlap = np.minimum(bounds[1:], starts + parts) - np.maximum(bounds[:-1], starts)
    parts_covered: NDArray[np.int64] = np.maximum(overlap, 0)
    return parts_covered


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
