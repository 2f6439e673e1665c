"""The faces that models are compared on: a dataset's test split, or a folder of pictures."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from srcli.comparison.degrading import InputDegradation
from srcli.data.several import open_datasets
from srcli.data.task import PAPER, Task
from srcli.drawn_faces.faces import built_in_dataset
from srcli.errors import DataError, ImageError
from srcli.packing.faces import detect_layout, face_of
from srcli.packing.sources import FolderSource, is_picture
from srcli.pictures.formats import PICTURE_ENDINGS
from srcli.pictures.pixels import Pixels


@dataclass(frozen=True)
class Faces:
    """What is enlarged, and what should come out.

    Attributes:
        labels: (N, H, H, 3), one or more.
        source: Where they came from, for people to read.
        fingerprint: SHA-256 of the whole dataset, or of the labels made from a folder, in hexadecimal.
        degradation: What the inputs suffer; None where they are the labels' averages.
    """

    labels: Pixels
    source: str
    fingerprint: str
    degradation: InputDegradation | None = None
    task: Task = PAPER

    @cached_property
    def low_res(self) -> Pixels:
        """The area average of the labels in 8 bits, (N, h, h, 3)."""
        return self.task.low_res_of(self.labels)

    @cached_property
    def inputs(self) -> Pixels:
        """What is enlarged, (N, h, h, 3): `low_res`, or the labels degraded."""
        if self.degradation is None:
            return self.low_res
        return self.degradation.apply(self.labels, self.task.scale)


def faces_of_datasets(paths: Sequence[Path], limit: int | None, task: Task = PAPER) -> Faces:
    """The test faces of prepared datasets, or of the built-in one: all, or the first `limit`.

    Raises:
        DataError: The dataset cannot be read, has no test faces, or too small ones for the task.
    """
    dataset = open_datasets(paths) if paths else built_in_dataset(size=task.face_size)
    labels = dataset.labels("test", limit, task)
    if len(labels) == 0:
        raise DataError(
            f"{', '.join(map(str, paths))} has no test faces", "Prepare it again with a larger --holdout."
        )
    return Faces(labels, dataset.source, dataset.fingerprint, task=task)


def faces_of_folder(folder: Path, limit: int | None, task: Task = PAPER) -> Faces:
    """The pictures of a folder, sorted by name: all, or the first `limit`.

    They are framed as `prepare-data` and `faces_of_datasets` frame them: the labels are those of a dataset
    packed of the same pictures.

    Raises:
        ImageError: The folder holds no pictures, or one that is damaged or smaller than the task's faces.
    """
    if not folder.is_dir():
        raise ImageError(f"{folder} is not a folder")
    names = sorted(path.name for path in folder.iterdir() if is_picture(path.name) and path.is_file())[:limit]
    if not names:
        raise ImageError(f"{folder} holds no pictures", f"Known endings: {' '.join(PICTURE_ENDINGS)}.")
    source = FolderSource(folder)
    layout = detect_layout(source.files(names))
    faces = []
    for file in source.files(names):
        path = str(folder / file.name)
        if file.problem:
            raise ImageError(f"{path}: {file.problem}")
        faces.append(task.centre_window(face_of(file.content, path, layout, task.face_size)[None])[0])
    labels = np.stack(faces)
    return Faces(labels, str(folder), hashlib.sha256(labels.tobytes()).hexdigest(), task=task)
