"""From the bytes of picture files to stored faces."""

import io
from collections.abc import Iterator
from itertools import islice
from typing import Literal

import numpy as np
from PIL import Image

from srcli.data.images import Pixels, open_picture
from srcli.data.sources import SourceFile
from srcli.errors import ImageError

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
    picture = open_picture(io.BytesIO(content), name)
    if layout == "celeba":
        if picture.size != CELEBA_SIZE:
            raise ImageError(f"{name}: {picture.width}x{picture.height} pixels, CelebA's are 178x218")
        return np.asarray(picture.reduce(2, CELEBA_WINDOW))  # exact 2x2 means, rounded half up
    side = min(picture.size)
    if side < size:
        raise ImageError(f"{name}: {picture.width}x{picture.height} pixels, smaller than {size}")
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX, box))


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
