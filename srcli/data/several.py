"""Datasets in several folders: given one by one, or packed in parts by several processes."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from srcli.data.dataset import RECORD_FILE, SPLITS, Dataset, JoinedFaces, open_dataset
from srcli.errors import DataError
from srcli.processes import Share


def part_path(out: Path, share: Share) -> Path:
    """Where a process packs its part of a dataset; `out` itself if it works alone.

    Raises:
        DataError: `out` already is a dataset.
    """
    if share.is_whole:
        return out
    if (out / RECORD_FILE).exists():
        raise DataError(f"{out} already is a dataset", "Give another --out.")
    return out / f"part-{share.rank + 1}-of-{share.count}"


def open_datasets(paths: Sequence[Path]) -> Dataset:
    """Opens one or more prepared datasets, or folders with all parts of one, as one; see `join_datasets`.

    Raises:
        DataError: One cannot be opened, lacks a part, or holds the same faces as another.
    """
    folders = [folder for path in paths for folder in _folders_of(path)]
    return join_datasets([open_dataset(folder) for folder in folders], folders)


def join_datasets(datasets: Sequence[Dataset], folders: Sequence[Path]) -> Dataset:
    """Concatenates datasets, with a SHA-256 over their fingerprints in order; a single one is returned as is.

    Raises:
        DataError: Two of them hold the same faces in the same splits.
    """
    first_with: dict[str, Path] = {}
    for dataset, folder in zip(datasets, folders, strict=True):
        first = first_with.setdefault(dataset.fingerprint, folder)
        if first is not folder:
            raise DataError(f"{folder} holds the same faces as {first}", "Give each dataset once.")
    if len(datasets) == 1:
        return datasets[0]
    starts = np.cumsum([0, *(len(dataset.faces) for dataset in datasets[:-1])])
    placed = list(zip(starts, datasets, strict=True))
    splits = {name: np.concatenate([start + part.splits[name] for start, part in placed]) for name in SPLITS}
    fingerprints = "".join(f"{dataset.fingerprint}\n" for dataset in datasets)
    return Dataset(
        faces=JoinedFaces([np.asarray(dataset.faces) for dataset in datasets]),
        splits=splits,
        fingerprint=hashlib.sha256(fingerprints.encode()).hexdigest(),
        source=", ".join(dict.fromkeys(dataset.source for dataset in datasets)),
    )


def _folders_of(path: Path) -> list[Path]:
    """A dataset's folder, or those of its parts in order."""
    found = (re.fullmatch(r"part-(\d+)-of-(\d+)", entry.name) for entry in path.glob("part-*-of-*"))
    parts = [(int(match[1]), int(match[2])) for match in found if match]
    if not parts or (path / RECORD_FILE).exists():
        return [path]
    count = max(count for _, count in parts)
    missing = [str(number) for number in range(1, count + 1) if (number, count) not in parts]
    if missing:
        where = f"{path} lacks part {', '.join(missing)} of {count}"
        raise DataError(where, "Pack it like the others, with its RANK.")
    if len(parts) > count:
        raise DataError(f"{path} has parts of several packings", "Remove those of the older one.")
    return [path / f"part-{number}-of-{count}" for number in range(1, count + 1)]
