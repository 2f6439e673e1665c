"""From the bytes of picture files to stored faces."""

import io
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import numpy as np
from PIL import Image

from srcli.errors import ImageError
from srcli.packing.layouts import Layout, recognise
from srcli.packing.sources import SourceFile
from srcli.pictures.jpeg import decode_ordinary_jpeg
from srcli.pictures.opening import open_picture
from srcli.pictures.pixels import Pixels

PICTURES_TO_TRY = 20


def face_of(content: bytes, name: str, layout: Layout, size: int) -> Pixels:
    """One stored face (size, size, 3): the window of the layout, reduced.

    Raises:
        ImageError: `<name>: <reason>`.
    """
    pixels = decode_ordinary_jpeg(content)
    if pixels is None:
        pixels = np.asarray(open_picture(io.BytesIO(content), name))
    height, width, _ = pixels.shape
    if layout.picture_size not in (None, (width, height)):
        expected = "{}x{}".format(*layout.picture_size)
        raise ImageError(f"{name}: {width}x{height} pixels, the {layout.name} layout has {expected}")
    left, top, right, bottom = layout.box(width, height)
    if right - left < size:
        raise ImageError(f"{name}: {width}x{height} pixels, smaller than {size}")
    window = Image.fromarray(pixels[top:bottom, left:right])
    if layout.factor:
        return np.asarray(window.reduce(layout.factor))  # exact means, rounded half up
    return np.asarray(window.resize((size, size), Image.Resampling.BOX))


def detect_layout(files: Iterator[SourceFile]) -> Layout:
    """The layout of the first picture that can be read."""
    return recognise(_sizes(islice(files, PICTURES_TO_TRY)))


def _sizes(files: Iterator[SourceFile]) -> Iterator[tuple[int, int]]:
    """Width and height of the pictures that can be read."""
    for file in files:
        if not file.problem:
            with suppress(ImageError):
                yield open_picture(io.BytesIO(file.content), file.name).size
