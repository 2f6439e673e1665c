"""Packing faces into one memory-mapped array: `srcli prepare-data`."""

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from srcli.console import printable, progress
from srcli.data.dataset import (
    DATASET_VERSION,
    FACES_FILE,
    NAMES_FILE,
    RECORD_FILE,
    SPLITS,
    Indices,
    fingerprint_of,
    ranges_of_indices,
)
from srcli.errors import DataError
from srcli.packing.faces import detect_layout
from srcli.packing.layouts import AUTO, FACES, LAYOUTS, Layout
from srcli.packing.sources import MAX_TEXT_BYTES, Source, unpacked
from srcli.packing.splits import (
    PARTITION_FILE,
    parse_partition,
    reserve_test_pictures,
    split_by_name,
    split_by_partition,
)
from srcli.packing.workers import Work, fill_rows, share_out
from srcli.pictures.pixels import Pixels
from srcli.processes import ALONE, Share
from srcli.storage.atomic import atomic_folder, write_json, write_text
from srcli.storage.bounded import read_bounded
from srcli.version import __version__

ALL_FILE = "all.npy"
COPIED_BYTES = 16_000_000

MappedPixels = np.memmap[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Packing:
    """How to pack.

    Attributes:
        layout: One of `LAYOUTS`; `auto` looks at the first picture that can be read.
        size: Side of the stored faces in pixels, 72 or more; some layouts have one size alone.
        partition: A file in the form of CelebA's list_eval_partition.txt; None to look beside the source.
        holdout: How many faces become the test split where there is no partition.
        max_skipped: The largest share of skipped pictures, in percent.
        workers: How many processes decode.
        share: Which of the sorted pictures are packed; the splits are those of all pictures.
    """

    layout: str
    size: int
    partition: Path | None
    holdout: int
    max_skipped: float
    workers: int
    share: Share = ALONE


@dataclass(frozen=True)
class Packed:
    """What was packed: counts by split, and the reasons of skipped pictures by name."""

    layout: Layout
    counts: Mapping[str, int]
    skipped: Mapping[str, str]


def pack(source: Source, out: Path, packing: Packing) -> Packed:
    """Packs all pictures of a source into a new dataset folder, whole or not at all.

    Raises:
        DataError: `out` exists, the layout has no such size, there are no pictures, or too many of them
            had to be skipped.
    """
    require_new(out)
    with ExitStack() as stack:
        # SIGTERM does what Ctrl-C does, so that unfinished files are removed.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        stack.callback(signal.signal, signal.SIGTERM, before)
        return _pack(*stack.enter_context(unpacked(source, out)), out, packing)


def require_new(out: Path) -> None:
    """Refuses a dataset folder that is already there.

    Raises:
        DataError: Something is at `out`.
    """
    if out.exists():
        raise DataError(f"{out} already exists", "Give another --out.")


def require_size(layout: Layout, size: int) -> None:
    """Refuses sizes that a layout does not have.

    Raises:
        DataError: The layout has another size alone.
    """
    if layout.stored_size not in (None, size):
        raise DataError(
            f"--size {size} does not fit the {layout.name} layout, which has {layout.stored_size} alone",
            f"Leave --size out, or take {FACES.help} with --layout {FACES.name}.",
        )


def _pack(source: Source, opened: Path, out: Path, packing: Packing) -> Packed:
    """As `pack`; `opened` is what workers open to read the source."""
    all_names = source.names()
    place = packing.share.rows(len(all_names))
    names = all_names[place]
    if not names:
        few = "" if packing.share.is_whole else f"That is too few for {packing.share.count} processes."
        raise DataError(f"{source.path} holds {len(all_names) or 'no'} pictures", few)
    partition = _read_partition(source, packing.partition)
    layout = detect_layout(source.files()) if packing.layout == AUTO else LAYOUTS[packing.layout]
    require_size(layout, packing.size)
    listed = names if partition is None else [name for name in names if PurePosixPath(name).name in partition]
    unlisted = dict.fromkeys(sorted(set(names).difference(listed)), f"not in {PARTITION_FILE}")
    with atomic_folder(out) as folder:
        faces = _create_array(folder / ALL_FILE, len(names), packing.size)
        rows = {name: row for row, name in enumerate(names) if name not in unlisted}
        work = Work(opened, rows, layout, packing.size, folder / ALL_FILE, faces.offset)
        digests, skipped = _write_faces(work, source.path, packing, unlisted)
        kept = [name for name in names if name not in skipped]
        kept_rows = [row for row, name in enumerate(names) if name not in skipped]
        faces = _keep_rows(folder, faces, kept_rows)
        if partition is None:
            splits = split_by_name(kept, packing.holdout, place.start, len(all_names) - place.stop)
        else:
            splits = split_by_partition(kept, partition)
        splits = reserve_test_pictures(kept, splits, layout.test_numbers)
        packed = Packed(layout, {name: len(splits[name]) for name in SPLITS}, skipped)
        fingerprint = fingerprint_of(faces.shape, (digests[row] for row in kept_rows), splits)
        write_json(folder / RECORD_FILE, _record(source, packed, faces, splits, fingerprint))
        write_text(folder / NAMES_FILE, "".join(f"{_printable(name)}\n" for name in kept))
    return packed


def _write_faces(
    work: Work, source: Path, packing: Packing, unlisted: Mapping[str, str]
) -> tuple[dict[int, bytes], dict[str, str]]:
    """Writes every face into its row; returns the digests by row, and the reasons of skipped pictures.

    Raises:
        DataError: Too many have none, those that the partition does not list among them.
    """
    total = len(work.rows) + len(unlisted)
    most = packing.max_skipped / 100 * total
    digests, skipped = dict[int, bytes](), dict(unlisted)
    with progress("images") as bar, closing(fill_rows(share_out(work, packing.workers))) as reports:
        task = bar.add_task("packing", total=total, completed=len(skipped), rate="-", note="")
        for report in reports:
            digests |= report.digests
            skipped |= report.skipped
            if len(skipped) > most:
                break
            done = len(digests) + len(skipped)
            bar.update(task, completed=done, rate=f"{bar.tasks[task].speed or 0:,.0f}")
    if len(skipped) > most:
        examples = "; ".join(f"{name}: {reason}" for name, reason in islice(skipped.items(), 3))
        other = f"--layout {FACES.name} takes pictures of any size. " if work.layout.picture_size else ""
        raise DataError(
            f"more than {packing.max_skipped:g} % of {total:,} pictures cannot be used: {examples}",
            f"{other}If that is expected, allow more with --max-skipped.",
        )
    if len(skipped) == total:
        raise DataError(f"{source} holds no picture that can be used")
    if len(digests) + len(skipped) < total:
        raise DataError(f"{source} has changed while it was read", "Try again.")
    return digests, skipped


def _create_array(path: Path, rows: int, size: int) -> MappedPixels:
    """Creates a mapped array with its disk space: were that to run out later, writing would kill the process.

    Raises:
        OSError: The disk is full.
    """
    array = np.lib.format.open_memmap(path, "w+", np.uint8, (rows, size, size, 3))
    if sys.platform == "linux":
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _keep_rows(folder: Path, faces: MappedPixels, rows: list[int]) -> MappedPixels:
    """Makes `faces.npy` of the given rows of `all.npy`, and returns it."""
    if len(rows) == len(faces):
        kept = faces
        (folder / ALL_FILE).rename(folder / FACES_FILE)
    else:
        kept = _create_array(folder / FACES_FILE, len(rows), faces.shape[1])
        step = max(1, COPIED_BYTES // faces[0].nbytes)
        for start in range(0, len(rows), step):
            kept[start : start + step] = faces[rows[start : start + step]]
        (folder / ALL_FILE).unlink()
    kept.flush()
    return kept


def _read_partition(source: Source, given: Path | None) -> dict[str, int] | None:
    if given is not None:
        return parse_partition(read_bounded(given, MAX_TEXT_BYTES).decode("utf-8", "replace"), str(given))
    text = source.text(PARTITION_FILE)
    return None if text is None else parse_partition(text, PARTITION_FILE)


def _record(
    source: Source, packed: Packed, faces: Pixels, splits: Mapping[str, Indices], fingerprint: str
) -> dict[str, object]:
    return {
        "version": DATASET_VERSION,
        "srcli": __version__,
        "source": _printable(str(source.path)),
        "layout": packed.layout.name,
        "size": faces.shape[1],
        "count": len(faces),
        "counts": packed.counts,
        "splits": {name: ranges_of_indices(splits[name]) for name in SPLITS},
        "fingerprint": fingerprint,
        "skipped": [
            {"name": _printable(name), "reason": reason} for name, reason in sorted(packed.skipped.items())
        ],
    }


def _printable(name: str) -> str:
    """A file's name on one line of UTF-8, whatever bytes the file system holds."""
    return printable(name.encode("utf-8", "backslashreplace").decode("utf-8"))
