"""The prepared dataset: faces in one memory-mapped array, split three ways."""

import hashlib
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcli.data.task import PAPER, Task
from srcli.errors import DataError
from srcli.pictures.pixels import Pixels
from srcli.storage.bounded import parse_json, read_bounded

DATASET_VERSION = 1
SPLITS = ("train", "validation", "test")
FACES_FILE, RECORD_FILE, NAMES_FILE = "faces.npy", "dataset.json", "names.txt"

MAX_FACES = 10_000_000
MAX_SIDE = 4096
MAX_RECORD_BYTES = 20_000_000
"""Limits on what a dataset may declare, so that a damaged or hostile one cannot exhaust memory."""

Indices = NDArray[np.int64]


class JoinedFaces:
    """Several arrays of faces concatenated, each (N, S, S, 3) with its own S."""

    def __init__(self, arrays: Sequence[Pixels]) -> None:
        self._arrays = tuple(arrays)
        self._starts = np.cumsum([0, *(len(array) for array in arrays)])
        self._sides = np.array([array.shape[1] for array in arrays])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> Pixels:
        """The face (S, S, 3) at an index from 0, a view."""
        array = int(self._array_of(np.array(index)))
        return np.asarray(self._arrays[array][index - self._starts[array]])

    @property
    def largest_side(self) -> int:
        """The largest S of all arrays."""
        return int(self._sides.max())

    def sides(self, indices: Indices) -> Indices:
        """The S of each of the faces at `indices`."""
        return self._sides[self._array_of(indices)]

    def _array_of(self, indices: Indices) -> Indices:
        # The last array that starts at or before the index: an empty one starts where the next does.
        return np.searchsorted(self._starts, indices, side="right") - 1


@dataclass(frozen=True)
class Dataset:
    """Faces and their splits.

    Attributes:
        faces: (N, S, S, 3), S at least 72, in 0..255; possibly one or more read-only memory maps.
        splits: The ascending indices of each split in `SPLITS`; a split may be empty.
        fingerprint: SHA-256 over pixels and splits, in hexadecimal.
        source: Where the faces came from, for messages.
    """

    faces: Pixels | JoinedFaces
    splits: Mapping[str, Indices]
    fingerprint: str
    source: str

    def labels(self, split: str, limit: int | None = None, task: Task = PAPER) -> Pixels:
        """The labels of a split in order, (n, H, H, 3): all, or the first `limit`.

        Raises:
            DataError: The faces are too small for the task.
        """
        chosen = self.splits[split][:limit]
        labels = np.empty((len(chosen), task.label_size, task.label_size, 3), np.uint8)
        for label, index in zip(labels, chosen, strict=True):
            label[:] = task.centre_window(self.faces[index][None])[0]
        return labels

    @property
    def largest_side(self) -> int:
        """The side S of the faces in pixels; the largest if they differ."""
        return self.faces.largest_side if isinstance(self.faces, JoinedFaces) else self.faces.shape[1]

    def sides(self, indices: Indices) -> Indices:
        """The side S of each of the faces at `indices`, in pixels."""
        if isinstance(self.faces, JoinedFaces):
            return self.faces.sides(indices)
        return np.full(len(indices), self.faces.shape[1])


def open_dataset(path: Path) -> Dataset:
    """Opens a dataset written by `srcli prepare-data`; the faces stay on disk.

    Raises:
        DataError: The folder is missing, not a dataset, of another version, or damaged.
    """
    record = _read_record(path)
    faces = _map_faces(path / FACES_FILE)
    try:
        splits = {name: indices_of_ranges(record["splits"][name], len(faces)) for name in SPLITS}
        fingerprint, source, count = str(record["fingerprint"]), str(record["source"]), int(record["count"])
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise _damaged(path / RECORD_FILE, f"{error!r:.200}") from error
    if len(faces) != count:
        raise _damaged(path, f"it lists {count} faces, but {FACES_FILE} holds {len(faces)}")
    if not np.array_equal(np.sort(np.concatenate(list(splits.values()))), np.arange(count)):
        raise _damaged(path / RECORD_FILE, "its splits do not hold every face exactly once")
    return Dataset(faces, splits, fingerprint, source)


def ranges_of_indices(indices: Indices) -> str:
    """Ascending indices as inclusive ranges: [0, 1, 2, 7] -> "0-2,7"."""
    runs = np.split(indices, np.flatnonzero(np.diff(indices) != 1) + 1)
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs if len(run))


def indices_of_ranges(text: str, count: int) -> Indices:
    """The inverse of `ranges_of_indices`, for indices below `count`.

    Raises:
        ValueError: The text is not a list of ranges, or they exceed `count`.
    """
    if not text:
        return np.empty(0, np.int64)
    bounds, total = [], 0
    for item in text.split(","):
        first, _, last = item.partition("-")
        start, stop = int(first), int(last or first) + 1
        total += stop - start
        if not 0 <= start < stop <= count or total > count:
            raise ValueError(f"{item[:40]!r} are not indices of {count} faces, or too many")
        bounds.append((start, stop))
    return np.concatenate([np.arange(start, stop, dtype=np.int64) for start, stop in bounds])


def digest_of(face: Pixels) -> bytes:
    """SHA-256 over a face's pixels."""
    return hashlib.sha256(np.ascontiguousarray(face).data).digest()


def fingerprint_of(shape: tuple[int, ...], digests: Iterable[bytes], splits: Mapping[str, Indices]) -> str:
    """SHA-256, in hexadecimal, of the faces' shape (N, S, S, 3), `digest_of` each in order, and splits."""
    total = hashlib.sha256(f"srcli dataset {DATASET_VERSION} {shape}\n".encode())
    for digest in digests:
        total.update(digest)
    for name in SPLITS:
        total.update(f"{name} {ranges_of_indices(splits[name])}\n".encode())
    return total.hexdigest()


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = parse_json(read_bounded(path / RECORD_FILE, MAX_RECORD_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        what = "is not a dataset" if path.exists() else "does not exist"
        raise DataError(
            f"{path} {what}", "A dataset is a folder that srcli prepare-data SOURCE --out FOLDER wrote."
        ) from None
    except (OSError, ValueError) as error:
        raise _damaged(path / RECORD_FILE, str(error)) from error
    if not isinstance(record, dict) or "version" not in record:
        raise _damaged(path / RECORD_FILE, "it holds no version")
    if record["version"] != DATASET_VERSION:
        raise DataError(
            f"{path} is a dataset of version {record['version']!r:.40},"
            f" this srcli reads version {DATASET_VERSION}",
            "Prepare it again with srcli prepare-data.",
        )
    return record


def _map_faces(path: Path) -> Pixels:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would block
            raise ValueError("it is not a regular file")
        faces = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise _damaged(path.parent, f"{path.name} is missing") from None
    # NumPy evaluates the header as a Python literal; damaged ones make that raise nearly anything.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise _damaged(path, f"{reason:.200}") from error
    size = faces.shape[1] if faces.ndim == 4 else 0
    if faces.dtype != np.uint8 or size < PAPER.face_size or faces.shape[1:] != (size, size, 3):
        raise _damaged(path, f"it holds {faces.dtype!s:.100} of shape {faces.shape}")
    if size > MAX_SIDE or len(faces) > MAX_FACES:
        raise DataError(
            f"{path} holds {len(faces):,} faces of {size} pixels, over {MAX_FACES:,} or of over {MAX_SIDE}"
        )
    return np.asarray(faces)


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(f"{path} is damaged: {reason}", "Prepare the dataset again with srcli prepare-data.")
