"""From the bytes of picture files to stored faces."""

import io
from collections.abc import Iterator
from itertools import islice
from typing import Literal

import numpy as np
from PIL import Image

from srcli.errors import ImageError
from srcli.packing.sources import SourceFile
from srcli.pictures.jpeg import decode_ordinary_jpeg
from srcli.pictures.opening import open_picture
from srcli.pictures.pixels import Pixels

Layout = Literal["celeba", "faces"]

CELEBA_SIZE = (178, 218)
CELEBA_WINDOW = (17, 52, 161, 196)
"""The box (25, 60, 153, 188) of the paper with its jitter of 8 pixels on every side."""

PICTURES_TO_TRY = 20


def face_of(content: bytes, name: str, layout: Layout, size: int) -> Pixels:
    """One stored face (size, size, 3): the window of the layout, area-averaged.

    Raises:
        ImageError: `<name>: <reason>`.
    """
    pixels = decode_ordinary_jpeg(content)
    if pixels is None:
        pixels = np.asarray(open_picture(io.BytesIO(content), name))
    height, width, _ = pixels.shape
    if layout == "celeba":
        if (width, height) != CELEBA_SIZE:
            raise ImageError(f"{name}: {width}x{height} pixels, CelebA's are 178x218")
        left, top, right, bottom = CELEBA_WINDOW
        window = Image.fromarray(pixels[top:bottom, left:right])
        return np.asarray(window.reduce(2))  # exact 2x2 means, rounded half up
    side = min(height, width)
    if side < size:
        raise ImageError(f"{name}: {width}x{height} pixels, smaller than {size}")
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(pixels[top : top + side, left : left + side])
    return np.asarray(square.resize((size, size), Image.Resampling.BOX))


def detect_layout(files: Iterator[SourceFile]) -> Layout:
    """`celeba` where the first picture that can be read has CelebA's 178x218 pixels, else `faces`."""
    for file in islice(files, PICTURES_TO_TRY):
        try:
            if not file.problem:
                size = open_picture(io.BytesIO(file.content), file.name).size
                return "celeba" if size == CELEBA_SIZE else "faces"
        except ImageError:
            continue
    return "faces"
