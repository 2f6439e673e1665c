"""Noise is measured, and texture is not taken for it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pixels import soft

from srcli.comparison.degrading import parse_degradation
from srcli.pictures.noise import estimate_noise

FACES = sorted((Path(__file__).parents[2] / "examples" / "faces").glob("*.png"))


def labels(side: int) -> np.ndarray:
    """Synthetic faces."""
    images = [Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BOX) for path in FACES]
    return np.stack([np.asarray(image) for image in images])


@pytest.mark.parametrize("side", [64, 128])
@pytest.mark.parametrize("kind", ["kernel:bicubic", "kernel:lanczos", "jpeg:95", "jpeg:50", "blur:1"])
def test_faces_without_noise_have_none(kind: str, side: int) -> None:
    faces = parse_degradation(kind).apply(labels(side), 4)
    assert [estimate_noise(face) for face in faces] == [0.0] * len(FACES)


@pytest.mark.parametrize("side", [64, 128])
@pytest.mark.parametrize("sigma", [5, 10, 20])
def test_colour_noise_is_measured_in_faces_of_any_size(sigma: int, side: int) -> None:
    for face in parse_degradation(f"noise:{sigma}").apply(labels(side), 4):
        assert estimate_noise(face) == pytest.approx(sigma, rel=0.15 if side == 128 else 0.4)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_noise_is_measured_where_the_picture_is_smooth(channels: int, dtype: type) -> None:
    grey = soft(96, 80).mean(axis=2, keepdims=True).repeat(channels, axis=2)
    noise = np.random.default_rng(0).normal(0, 10, (96, 80, 1))
    scale = np.iinfo(dtype).max / 255
    clean, noisy = (((64 + grey / 2 + change) * scale).astype(dtype) for change in (0, noise))
    assert estimate_noise(clean) == 0
    assert estimate_noise(noisy) == pytest.approx(10, rel=0.2)


def test_only_the_centre_of_a_large_picture_is_judged() -> None:
    picture = np.random.default_rng(0).normal(128, 20, (400, 300, 3)).clip(0, 255).astype(np.uint8)
    assert estimate_noise(picture) == pytest.approx(20, rel=0.1)
    picture[72:328, 22:278] = 128
    assert estimate_noise(picture) == 0


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 300, 3), (6, 6, 1), (300, 300, 1)])
def test_flat_and_tiny_pictures_have_no_noise(shape: tuple[int, ...]) -> None:
    assert estimate_noise(np.full(shape, 200, np.uint8)) == 0
