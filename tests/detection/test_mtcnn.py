"""Faces are found where they were put, and nowhere else."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srcli.detection import mtcnn
from srcli.detection.mtcnn import Face, find_faces
from srcli.errors import CheckpointError
from srcli.experiment.presets import example_faces
from srcli.pictures.pixels import Pixels

PLACES = [(20, 30), (150, 10), (260, 60), (40, 150), (170, 130), (280, 170)]
"""Left and top of the faces in a photograph."""


def photograph(side: int) -> Pixels:
    """Six of the example faces, enlarged to squares of `side` pixels, on a smooth grey picture."""
    noise = np.random.default_rng(0).integers(90, 160, (8, 11, 3), np.uint8)
    image = Image.fromarray(noise).resize((400, 280), Image.Resampling.BICUBIC)
    for path, place in zip(example_faces(), PLACES, strict=False):
        image.paste(Image.open(path).resize((side, side), Image.Resampling.LANCZOS), place)
    return np.asarray(image)


def is_within(face: Face, place: tuple[int, int], side: int) -> bool:
    x, y = (face.left + face.right) / 2 - place[0], (face.top + face.bottom) / 2 - place[1]
    return 0.3 * side < x < 0.7 * side and 0.3 * side < y < 0.75 * side


@pytest.mark.parametrize("side", [64, 96])
def test_each_face_is_found_once_at_its_place(side: int) -> None:
    faces = find_faces(photograph(side), minimum=24)
    assert len(faces) == len(PLACES)
    for place in PLACES:
        (face,) = [face for face in faces if is_within(face, place, side)]
        assert 0.4 * side < face.size < 0.9 * side
        assert face.score > 0.8
    assert faces == sorted(faces, key=lambda face: -face.size)


def test_smaller_faces_than_the_smallest_are_left_out() -> None:
    largest, *_, smallest = find_faces(photograph(64), minimum=20)
    between = round((largest.size + smallest.size) / 2)
    found = find_faces(photograph(64), minimum=between)
    assert 0 < len(found) < len(PLACES)
    assert min(face.size for face in found) >= between


@pytest.mark.parametrize("size", [(300, 200), (10, 10), (1, 500)])
def test_no_face_is_found_where_there_is_none(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    assert find_faces(noise, minimum=24) == []


def test_a_network_that_is_damaged_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(mtcnn.weights_file("pnet"), tmp_path / "pnet.onnx")
    with (tmp_path / "pnet.onnx").open("ab") as file:
        file.write(b"\0")
    monkeypatch.setattr(mtcnn, "weights_file", lambda name: tmp_path / f"{name}.onnx")
    mtcnn.network.cache_clear()
    with pytest.raises(CheckpointError, match=r"pnet.onnx is not the file that srcli came with"):
        find_faces(photograph(64), 24)
    mtcnn.network.cache_clear()
