"""Prepared datasets: `dataset.json` and `faces.npy`."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from tiny_experiments import small_experiment

from fuzzing.mutations import HUGE, INTERESTING, json_bytes, mutate_bytes, mutate_tree
from srcli.data.batches import TrainingBatches
from srcli.data.dataset import SPLITS, open_dataset
from srcli.drawn_faces.faces import draw_faces

FACES = draw_faces(12, 1)
RECORD = {
    "version": 1,
    "srcli": "0.1.0",
    "source": "faces",
    "layout": "faces",
    "size": 72,
    "count": 12,
    "counts": {"train": 9, "validation": 0, "test": 3},
    "splits": {"train": "0-8", "validation": "", "test": "9-11"},
    "fingerprint": "0" * 64,
    "skipped": [{"name": "a", "reason": "b"}],
}
RANGES = (
    "0-99999999999",
    "0-3,2-9",
    "5-1",
    "-3",
    "0-" + "9" * 5000,
    "0,0,0",
    "0-11," * 100_000,
    "٣",
    "1_0",
    "0-1-2",
    ",",
    "-",
)


class Datasets:
    """Damaged records, splits of missing faces, arrays that declare more than the file holds."""

    name = "datasets"

    def hostile(self, random: Random) -> Mapping[str, bytes]:
        record, faces = json.dumps(RECORD).encode(), _npy(FACES)
        change = random.random()
        if change < 0.2:
            record = mutate_bytes(record, random, [faces[:200]])
        elif change < 0.4:
            record = json_bytes(mutate_tree(RECORD, random, random.choice((1, 1, 3))))
        elif change < 0.55:
            splits = {name: random.choice((*RANGES, "0-11", "")) for name in SPLITS}
            record = json.dumps({**RECORD, "splits": splits}).encode()
        elif change < 0.75:
            faces = mutate_bytes(faces, random, [record])
        else:
            faces = _other_array(random)
        return {"dataset/dataset.json": record, "dataset/faces.npy": faces}

    def use(self, given: Path, _work: Path) -> None:
        dataset = open_dataset(given / "dataset")
        for split in SPLITS:
            dataset.labels(split, 8)
        if len(dataset.splits["train"]):
            augmentation = small_experiment().augmentation
            TrainingBatches(dataset, augmentation, 1, 0).batch(0, torch.device("cpu"))


def _npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def _other_array(random: Random) -> bytes:
    """A header written by hand before the real faces, or an array of another kind."""
    if random.random() < 0.3:
        arrays = (
            np.array([{"a": 1}], dtype=object),
            np.zeros((12, 64, 64, 3), np.uint8),
            np.zeros((12, 72, 72, 3), np.int8),
            np.zeros((0, 72, 72, 3), np.uint8),
            np.zeros((1, 300, 300, 3), np.uint8),
            np.zeros(3, np.dtype([("a", "u1"), ("b", "O")])),
            np.zeros((), np.uint8),
            np.asfortranarray(FACES),
        )
        return _npy(random.choice(arrays))
    if random.random() < 0.2:
        archive = io.BytesIO()
        np.savez(archive, faces=FACES)
        return archive.getvalue()
    numbers = (*INTERESTING, *HUGE, -1, 12, 72, 3)
    shape = [12, 72, 72, 3]
    for _ in range(random.choice((1, 2))):
        shape[random.randrange(4)] = random.choice(numbers)
    shapes = (
        repr(tuple(shape)),
        "(" * random.choice((50, 400, 5000)),
        "()",
        "(1,)*9",
        "(True, 72, 72, 3)",
        "'a'",
    )
    described = random.choice(
        ("'|u1'", "'|u1'", "'|u1'", "'|O'", "'<U999999999'", "[('a', '|u1')]", "7", "None")
    )
    header = f"{{'descr': {described}, 'fortran_order': False, 'shape': {random.choice(shapes)}, }}"
    text = header.encode() + b" " * random.choice((0, 1, 60, 10**6)) + b"\n"
    version = random.choice((b"\x01\x00", b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x09"))
    width = 2 if version == b"\x01\x00" else 4
    length = len(text) if random.random() < 0.9 else random.choice(HUGE)
    size = (length % 2 ** (8 * width)).to_bytes(width, "little")
    return b"\x93NUMPY" + version + size + text + FACES.tobytes()
