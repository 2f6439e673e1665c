"""Which faces are for training, validation and test."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from srcli.data.dataset import SPLITS, Indices
from srcli.errors import DataError

PARTITION_FILE = "list_eval_partition.txt"
LARGEST_HOLDOUT = 0.1


def parse_partition(text: str, where: str) -> dict[str, int]:
    """The split of each file name from lines of `name 0|1|2` for training, validation and test.

    Raises:
        DataError: A line reads otherwise; `where` and the line are named.
    """
    partition = {}
    for number, line in enumerate(text.splitlines(), 1):
        match line.split():
            case []:
                continue
            case [name, ("0" | "1" | "2") as split]:
                partition[name] = int(split)
            case _:
                raise DataError(f"{where}, line {number}: it should read `name 0`, `name 1` or `name 2`")
    return partition


def split_by_partition(names: Sequence[str], partition: Mapping[str, int]) -> dict[str, Indices]:
    """The indices of each split by the partition, which lists every name (its last part)."""
    return _indices(np.array([partition[PurePosixPath(name).name] for name in names], np.int64))


def split_by_name(names: Sequence[str], holdout: int, before: int = 0, after: int = 0) -> dict[str, Indices]:
    """The last `holdout` of the sorted names, at most a tenth of all, become the test split.

    Args:
        before: How many names of a larger whole come before these; its last ones are the test split.
        after: How many come after them.
    """
    total = before + len(names) + after
    split = np.zeros(total, np.int64)
    split[total - min(holdout, int(total * LARGEST_HOLDOUT)) :] = SPLITS.index("test")
    return _indices(split[before : before + len(names)])


def reserve_test_pictures(
    names: Sequence[str], splits: Mapping[str, Indices], numbers: Collection[int]
) -> dict[str, Indices]:
    """Moves the pictures that are named by these numbers to the test split."""
    stems = [PurePosixPath(name).stem for name in names]
    reserved = [row for row, stem in enumerate(stems) if stem.isdecimal() and int(stem) in numbers]
    others = {name: np.setdiff1d(indices, reserved) for name, indices in splits.items()}
    return {**others, "test": np.union1d(others["test"], np.array(reserved, np.int64))}


def _indices(split: Indices) -> dict[str, Indices]:
    return {name: np.flatnonzero(split == index) for index, name in enumerate(SPLITS)}
