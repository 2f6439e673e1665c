"""The faces that models are compared on: a dataset's test split, or a folder of pictures."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from srcli.data.images import LABEL_SIZE, Pixels, low_res_of, open_picture, resize_area
from srcli.data.several import open_datasets
from srcli.data.sources import PICTURE_ENDINGS, is_picture
from srcli.data.synthetic import built_in_dataset
from srcli.errors import DataError, ImageError


@dataclass(frozen=True)
class Faces:
    """What is enlarged, and what should come out.

    Attributes:
        labels: (N, 64, 64, 3), one or more.
        source: Where they came from, for people to read.
        fingerprint: SHA-256 of the whole dataset, or of the labels made from a folder, in hexadecimal.
    """

    labels: Pixels
    source: str
    fingerprint: str

    @property
    def low_res(self) -> Pixels:
        """The networks' 8-bit inputs, the 4x4 area average of the labels: (N, 16, 16, 3)."""
        return low_res_of(self.labels)


def faces_of_datasets(paths: Sequence[Path], limit: int | None) -> Faces:
    """The test faces of prepared datasets, or of the built-in one: all, or the first `limit`.

    Raises:
        DataError: The dataset cannot be read, or it has no test faces.
    """
    dataset = open_datasets(paths) if paths else built_in_dataset()
    labels = dataset.labels("test", limit)
    if len(labels) == 0:
        raise DataError(
            f"{', '.join(map(str, paths))} has no test faces", "Prepare it again with a larger --holdout."
        )
    return Faces(labels, dataset.source, dataset.fingerprint)


def faces_of_folder(folder: Path, limit: int | None) -> Faces:
    """The pictures of a folder, sorted by name: all, or the first `limit`.

    Of each picture the largest centred square counts, area-averaged to 64x64.

    Raises:
        ImageError: The folder holds no pictures, or one that is damaged or smaller than 64x64.
    """
    if not folder.is_dir():
        raise ImageError(f"{folder} is not a folder")
    files = sorted(path for path in folder.iterdir() if is_picture(path.name) and path.is_file())[:limit]
    if not files:
        raise ImageError(
            f"{folder} holds no pictures", f"Known endings: {' '.join(sorted(PICTURE_ENDINGS))}."
        )
    labels = np.stack([label_of_picture(open_picture(file, str(file)), str(file)) for file in files])
    return Faces(labels, str(folder), hashlib.sha256(labels.tobytes()).hexdigest())


def label_of_picture(picture: Image.Image, name: str) -> Pixels:
    """The largest centred square of an RGB picture, area-averaged to (64, 64, 3).

    Raises:
        ImageError: The picture is smaller than 64x64; `name` says which one.
    """
    side = min(picture.size)
    if side < LABEL_SIZE:
        size = f"{picture.width} x {picture.height}"
        raise ImageError(f"{name} is {size} pixels, smaller than {LABEL_SIZE} x {LABEL_SIZE}")
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return resize_area(np.asarray(picture.crop((left, top, left + side, top + side))), LABEL_SIZE)
