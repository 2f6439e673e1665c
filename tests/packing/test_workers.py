"""Workers that decode pictures into an array file: their output, and failures."""

import multiprocessing
import zipfile
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srcli.drawn_faces.faces import draw_faces
from srcli.errors import DataError
from srcli.packing.layouts import FACES
from srcli.packing.pack import Packing, pack
from srcli.packing.sources import ZipSource
from srcli.packing.workers import Work, fill_rows, share_out


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_any_number_of_workers_writes_each_face_into_its_row(workers: int, tmp_path: Path) -> None:
    faces = draw_faces(12, 5)
    (tmp_path / "faces").mkdir()
    for number, face in enumerate(faces):
        Image.fromarray(face).save(tmp_path / "faces" / f"{number:02d}.png")
    array = tmp_path / "array"
    array.write_bytes(bytes(5 + faces.nbytes))
    rows = {f"{number:02d}.png": 11 - number for number in range(12)}
    works = share_out(Work(tmp_path / "faces", rows, FACES, 72, array, start=5), workers)
    assert len(works) == min(workers, 12)
    digests = {row: digest for report in fill_rows(works) for row, digest in report.digests.items()}
    assert digests == {11 - number: sha256(face.tobytes()).digest() for number, face in enumerate(faces)}
    written = np.frombuffer(array.read_bytes()[5:], np.uint8).reshape(faces.shape)
    assert np.array_equal(written[::-1], faces)


def test_a_killed_worker_ends_the_work(tmp_path: Path) -> None:
    faces, array = tmp_path / "faces", tmp_path / "array"
    faces.mkdir()
    Image.effect_noise((900, 900), 60).convert("RGB").save(faces / "000.png")
    for number in range(1, 600):
        (faces / f"{number:03d}.png").hardlink_to(faces / "000.png")
    array.write_bytes(bytes(600 * 72 * 72 * 3))
    rows = {f"{number:03d}.png": number for number in range(600)}
    with closing(fill_rows(share_out(Work(faces, rows, FACES, 72, array, 0), 2))) as reports:
        next(reports)
        multiprocessing.active_children()[0].kill()
        with pytest.raises(DataError, match="a worker process was killed, perhaps for want of memory"):
            list(reports)
    assert multiprocessing.active_children() == []


class Shrinking(ZipSource):
    """An archive that loses a picture after its names were listed."""

    def names(self) -> list[str]:
        return [*super().names(), "lost.png"]


def test_pictures_that_vanish_while_they_are_packed_are_missed(tmp_path: Path) -> None:
    Image.fromarray(draw_faces(1, 0)[0]).save(tmp_path / "face.png")
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        archive.write(tmp_path / "face.png", "face.png")
    packing = Packing("faces", 72, partition=None, holdout=1, max_skipped=0, workers=1)
    with pytest.raises(DataError, match=r"faces\.zip has changed while it was read"):
        pack(Shrinking(tmp_path / "faces.zip"), tmp_path / "out", packing)
    assert not (tmp_path / "out").exists()
