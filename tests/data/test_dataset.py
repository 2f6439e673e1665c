"""Opening prepared datasets, and errors about missing, damaged and outdated ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from srcli.data.dataset import Dataset, indices_of_ranges, open_dataset, ranges_of_indices
from srcli.drawn_faces.faces import draw_faces
from srcli.errors import DataError
from srcli.packing.pack import Packing, pack
from srcli.packing.sources import open_source


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset of 20 drawn faces, two of them for testing."""
    (tmp_path / "pictures").mkdir()
    for number, face in enumerate(draw_faces(20, 1)):
        Image.fromarray(face).save(tmp_path / "pictures" / f"{number:02d}.png")
    packing = Packing("faces", 72, partition=None, holdout=2, max_skipped=0, workers=1)
    pack(open_source(tmp_path / "pictures"), tmp_path / "dataset", packing)
    return tmp_path / "dataset"


def change_record(dataset: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    record = json.loads((dataset / "dataset.json").read_text())
    change(record)
    (dataset / "dataset.json").write_text(json.dumps(record))


def test_a_dataset_is_a_memory_map_of_its_faces_and_its_splits(dataset: Path) -> None:
    opened = open_dataset(dataset)
    assert np.array_equal(opened.faces, draw_faces(20, 1))
    assert isinstance(opened.faces.base, np.memmap)
    assert opened.splits["train"].tolist() == list(range(18))
    assert opened.splits["test"].tolist() == [18, 19]
    assert np.array_equal(opened.labels("test"), draw_faces(20, 1)[18:, 4:68, 4:68])
    assert len(opened.labels("train", limit=5)) == 5


def test_labels_of_larger_faces_are_averages_of_their_centre(dataset: Path) -> None:
    faces = draw_faces(20, 1).repeat(2, axis=1).repeat(2, axis=2)
    faces[:, ::2] ^= 8  # so that the two rows of a mean differ
    np.save(dataset / "faces.npy", faces)
    means = faces[18:, 8:136, 8:136].reshape(2, 64, 2, 64, 2, 3).astype(float).mean((2, 4))
    assert np.array_equal(open_dataset(dataset).labels("test"), np.floor(means + 0.5))
    assert open_dataset(dataset).labels("validation").shape == (0, 64, 64, 3)


def test_labels_of_many_faces_are_in_their_order() -> None:
    numbers = np.arange(600)
    faces = np.broadcast_to((numbers % 251).astype(np.uint8)[:, None, None, None], (600, 72, 72, 3))
    labels = Dataset(faces, {"test": numbers[::-1]}, "", "").labels("test", 590)
    assert np.array_equal(labels, np.broadcast_to(faces[:9:-1, :64, :64], (590, 64, 64, 3)))


def test_the_fingerprint_changes_with_a_pixel_and_with_a_split(dataset: Path, tmp_path: Path) -> None:
    pixels = np.array(Image.open(tmp_path / "pictures" / "03.png"))
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(tmp_path / "pictures" / "03.png")
    source = open_source(tmp_path / "pictures")
    fingerprints = {open_dataset(dataset).fingerprint}
    for holdout in (1, 2):
        out = tmp_path / f"other-{holdout}"
        pack(source, out, Packing("faces", 72, partition=None, holdout=holdout, max_skipped=0, workers=1))
        fingerprints.add(open_dataset(out).fingerprint)
    assert len(fingerprints) == 3


def truncate_faces(dataset: Path) -> None:
    content = (dataset / "faces.npy").read_bytes()
    (dataset / "faces.npy").write_bytes(content[: len(content) // 2])


def other_pixels(dataset: Path) -> None:
    np.save(dataset / "faces.npy", np.zeros((20, 64, 64, 3), np.uint8))


def oblong_pixels(dataset: Path) -> None:
    np.save(dataset / "faces.npy", np.zeros((20, 80, 72, 3), np.uint8))


def flat_pixels(dataset: Path) -> None:
    np.save(dataset / "faces.npy", np.zeros(20, np.uint8))


def pickled_faces(dataset: Path) -> None:
    np.save(dataset / "faces.npy", np.array([{"a": 1}], dtype=object))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda d: change_record(d, lambda r: r.update(version=2)),
            "is a dataset of version 2, this srcli reads",
        ),
        (lambda d: change_record(d, lambda r: r.pop("splits")), "is damaged"),
        (
            lambda d: change_record(d, lambda r: r.update(count=19)),
            "it lists 19 faces, but faces.npy holds 20",
        ),
        (lambda d: change_record(d, lambda r: r["splits"].update(test="17-19")), "every face exactly once"),
        (lambda d: change_record(d, lambda r: r["splits"].update(test="x")), "is damaged"),
        (lambda d: (d / "dataset.json").write_text("{"), "is damaged"),
        (lambda d: (d / "dataset.json").unlink(), "is not a dataset"),
        (lambda d: (d / "faces.npy").unlink(), "faces.npy is missing"),
        (truncate_faces, "is damaged"),
        (other_pixels, r"it holds uint8 of shape \(20, 64, 64, 3\)"),
        (oblong_pixels, r"it holds uint8 of shape \(20, 80, 72, 3\)"),
        (flat_pixels, r"it holds uint8 of shape \(20,\)"),
        (pickled_faces, "is damaged"),
    ],
)
def test_a_damaged_dataset_is_one_line_that_names_it(
    damage: Callable[[Path], Any], message: str, dataset: Path
) -> None:
    damage(dataset)
    with pytest.raises(DataError, match=message) as caught:
        open_dataset(dataset)
    assert str(dataset) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert "srcli prepare-data" in caught.value.hint


@pytest.mark.parametrize(
    ("indices", "text"), [([], ""), ([4], "4"), ([0, 1, 2, 7], "0-2,7"), ([1, 3, 5, 6], "1,3,5-6")]
)
def test_indices_are_written_as_ranges_and_read_back(indices: list[int], text: str) -> None:
    assert ranges_of_indices(np.array(indices, np.int64)) == text
    assert indices_of_ranges(text, 8).tolist() == indices
