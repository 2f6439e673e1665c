"""The table of metrics: how values are printed, and that what it measures is what its entries say."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from srcli.metrics import measures
from srcli.metrics.table import IMAGE_METRICS, METRICS, SET_METRICS, measure_images, measure_set


@pytest.fixture
def images() -> NDArray[np.float64]:
    return np.random.default_rng(3).uniform(size=(5, 16, 16, 3))


def test_keys_are_unique() -> None:
    assert len(METRICS) == len(IMAGE_METRICS) + len(SET_METRICS) + 2


def test_values_are_printed_with_name_decimals_and_unit() -> None:
    psnr, ssim = METRICS["psnr"], METRICS["ssim"]
    assert (psnr.title, psnr.phrase(22.504)) == ("PSNR (dB)", "PSNR 22.50 dB")
    assert (ssim.title, ssim.phrase(0.7126)) == ("SSIM", "SSIM 0.713")
    assert psnr.number(math.inf) == "∞"


def test_images_are_measured_against_their_labels_and_inputs(images: NDArray[np.float64]) -> None:
    labels, low_res = images[::-1], np.full((5, 4, 4, 3), 0.5)
    found = measure_images(images, labels, low_res)
    assert list(found) == [metric.key for metric in IMAGE_METRICS]
    np.testing.assert_allclose(found["l1_high"], np.abs(images - labels).mean(axis=(1, 2, 3)))
    blocks = images.reshape(5, 4, 4, 4, 4, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(found["consistency"], np.abs(blocks - 0.5).mean(axis=(1, 2, 3)))
    assert found["colour"][2] == 0  # its own label


def test_the_colour_shift_is_that_of_the_means(images: NDArray[np.float64]) -> None:
    mirrored = images[:, :, ::-1] + np.array([0.1, 0, -0.2])
    np.testing.assert_allclose(measures.colour_shift(mirrored, images), 0.1)


def test_the_spread_is_the_diversity_over_that_of_the_labels(images: NDArray[np.float64]) -> None:
    assert set(measure_set(images)) == {metric.key for metric in SET_METRICS}
    narrow = 0.5 + (images - 0.5) / 4
    assert measure_set(narrow, images)["spread"] == pytest.approx(0.25)
    same = np.full((3, 8, 8, 3), 0.5)
    assert measure_set(same, same) == {
        "diversity": pytest.approx(0, abs=1e-8),
        "duplicates": 1,
        "spread": pytest.approx(0, abs=1e-6),
    }
