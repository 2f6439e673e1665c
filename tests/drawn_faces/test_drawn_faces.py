"""Drawn faces: identical on every machine, all different, with detail that 16x16 loses."""

import hashlib

import numpy as np

from srcli.data.task import PAPER
from srcli.drawn_faces.faces import built_in_dataset, draw_faces
from srcli.metrics.measures import diversity, psnr
from srcli.pictures.resize import enlarge_bicubic


def test_a_face_depends_only_on_the_seed_and_its_number() -> None:
    faces = draw_faces(40, 11)
    assert faces.shape == (40, 72, 72, 3)
    assert faces.dtype == np.uint8
    assert np.array_equal(draw_faces(7, 11), faces[:7])
    assert not np.array_equal(draw_faces(7, 12), faces[:7])


def test_the_pixels_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256(draw_faces(20, 0).tobytes()).hexdigest()
    assert digest == "f4381488c843ba97d8bcce34208df513ad3441568eb51b159085af2d767600f1"


def test_faces_differ_and_none_is_drawn_twice() -> None:
    spread = diversity(PAPER.centre_window(draw_faces(100, 2)) / 255)
    assert spread.mean_pairwise_distance > 0.2
    assert spread.nearest_duplicate_rate == 0


def test_bicubic_loses_detail_as_it_does_on_photographs() -> None:
    labels = PAPER.centre_window(draw_faces(100, 3))
    bicubic = enlarge_bicubic(PAPER.low_res_of(labels), PAPER.scale)
    assert 15 < psnr(bicubic / 255, labels / 255).mean() < 24


def test_the_built_in_dataset_has_a_tenth_each_for_validation_and_test() -> None:
    dataset = built_in_dataset(count=50)
    assert {name: len(rows) for name, rows in dataset.splits.items()} == {
        "train": 40,
        "validation": 5,
        "test": 5,
    }
    assert dataset.source == "built-in"
