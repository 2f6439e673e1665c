"""The metrics agree with scikit-image and with values computed by hand."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from srcli.metrics import measures

Pictures = NDArray[np.float64]


@pytest.fixture(scope="module")
def labels() -> Pictures:
    """Forty smooth pictures of 24 x 20: more than one batch of SSIM, and not square."""
    rows, columns = np.mgrid[0:24, 0:20] / 24
    waves = np.random.default_rng(3).uniform(1, 9, size=(40, 2, 1, 1, 3))
    return 0.5 + 0.4 * np.sin(waves[:, 0] * rows[..., None] + waves[:, 1] * columns[..., None])


@pytest.fixture(scope="module")
def images(labels: Pictures) -> Pictures:
    noise = np.random.default_rng(4).normal(0, 0.1, size=labels.shape)
    return np.clip(labels + noise * np.linspace(0.1, 2, 40)[:, None, None, None], 0, 1)


def test_ssim_agrees_with_scikit_image(images: Pictures, labels: Pictures) -> None:
    expected = [
        structural_similarity(
            image,
            label,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1,
            channel_axis=-1,
        )
        for image, label in zip(images, labels, strict=True)
    ]
    np.testing.assert_allclose(measures.ssim(images, labels), expected, atol=1e-9)


def test_psnr_agrees_with_scikit_image(images: Pictures, labels: Pictures) -> None:
    expected = [
        peak_signal_noise_ratio(label, image, data_range=1)
        for image, label in zip(images, labels, strict=True)
    ]
    np.testing.assert_allclose(measures.psnr(images, labels), expected, rtol=1e-12)


def test_equal_pictures_have_infinite_psnr_full_ssim_and_no_l1(labels: Pictures) -> None:
    assert np.all(np.isposinf(measures.psnr(labels, labels)))
    np.testing.assert_allclose(measures.ssim(labels, labels), 1, atol=1e-12)
    np.testing.assert_array_equal(measures.l1(labels, labels), 0)


def test_an_offset_of_a_tenth_is_twenty_decibels_and_a_tenth_of_l1() -> None:
    images, labels = np.full((2, 4, 4, 3), 0.6), np.full((2, 4, 4, 3), 0.5)
    np.testing.assert_allclose(measures.psnr(images, labels), [20, 20])
    np.testing.assert_allclose(measures.l1(images, labels), [0.1, 0.1])


def test_consistency_compares_the_means_of_blocks() -> None:
    image = np.zeros((1, 4, 8, 3))
    image[0, :2, :4] = 1.0  # the left block is half white: mean 0.5
    low_res = np.array([[0.5, 0.25]])[None, :, :, None] * np.ones(3)
    assert measures.consistency(image, low_res)[0] == pytest.approx(0.25 / 2)


def test_consistency_refuses_a_low_res_of_another_shape() -> None:
    with pytest.raises(ValueError, match="do not shrink"):
        measures.consistency(np.zeros((1, 8, 9, 3)), np.zeros((1, 2, 2, 3)))


def test_sharpness_is_one_for_the_label_and_halves_with_the_contrast(labels: Pictures) -> None:
    np.testing.assert_allclose(measures.sharpness(labels, labels), 1)
    np.testing.assert_allclose(measures.sharpness(labels / 2, labels), 0.5)


def test_sharpness_adds_the_steps_of_rows_and_columns() -> None:
    label = np.zeros((1, 2, 2, 3))
    label[0, 0, 0] = 1.0  # steps down 1, 0 and across 1, 0: 0.5 + 0.5
    image = np.zeros((1, 2, 2, 3))
    image[0, 0] = 1.0  # steps down 1, 1 and across 0, 0: 1 + 0
    tilted = np.zeros((1, 2, 2, 3))
    tilted[0, :, 0, 0] = 1.0  # red alone, steps across 1/3, 1/3
    assert measures.sharpness(image, label)[0] == pytest.approx(1)
    assert measures.sharpness(tilted, label)[0] == pytest.approx(1 / 3)


def test_sharpness_of_a_flat_label_is_one_or_infinite(labels: Pictures) -> None:
    flat = np.full_like(labels[:1], 0.5)
    assert measures.sharpness(flat, flat)[0] == 1
    assert math.isinf(measures.sharpness(labels[:1], flat)[0])


@pytest.mark.parametrize("figure", [measures.psnr, measures.ssim, measures.l1, measures.sharpness])
def test_pictures_of_another_shape_are_refused(figure: object) -> None:
    assert callable(figure)
    with pytest.raises(ValueError, match="cannot be measured"):
        figure(np.zeros((2, 16, 16, 3)), np.zeros((1, 16, 16, 3)))


def test_ssim_refuses_pictures_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match="11 x 11"):
        measures.ssim(np.zeros((1, 10, 20, 3)), np.zeros((1, 10, 20, 3)))


def test_the_mean_pairwise_distance_is_that_of_all_pairs(images: Pictures) -> None:
    pairs = [
        math.sqrt(float(np.mean((one - other) ** 2)))
        for number, one in enumerate(images)
        for other in images[:number]
    ]
    assert measures.diversity(images).mean_pairwise_distance == pytest.approx(np.mean(pairs), abs=1e-12)


def test_a_generator_with_one_mode_has_duplicates_everywhere(labels: Pictures) -> None:
    noise = np.random.default_rng(5).normal(0, 0.01, size=(20, *labels.shape[1:]))
    collapsed = measures.diversity(labels[0] + noise)
    assert collapsed.nearest_duplicate_rate == 1
    assert collapsed.mean_pairwise_distance == pytest.approx(0.01 * math.sqrt(2), rel=0.02)


def test_the_duplicate_rate_counts_the_samples_with_a_near_copy() -> None:
    samples = np.random.default_rng(6).uniform(size=(10, 8, 8, 3))
    samples[1] = samples[0] * 0.95
    assert measures.diversity(samples).nearest_duplicate_rate == pytest.approx(0.2)


def test_differences_that_are_hard_to_see_are_none_even_at_low_contrast() -> None:
    faint = np.random.default_rng(8).uniform(0.49, 0.51, size=(6, 8, 8, 3))
    assert measures.diversity(faint).nearest_duplicate_rate == 1
    assert measures.diversity((faint - 0.5) * 10 + 0.5).nearest_duplicate_rate == 0


def test_equal_flat_samples_are_duplicates_at_no_distance() -> None:
    assert measures.diversity(np.full((5, 8, 8, 3), 0.3)) == measures.Diversity(
        pytest.approx(0, abs=1e-8), 1.0
    )


def test_diversity_of_one_sample_is_refused(labels: Pictures) -> None:
    with pytest.raises(ValueError, match="two samples"):
        measures.diversity(labels[:1])


def test_the_bootstrap_interval_is_that_of_the_normal_approximation_for_many_values() -> None:
    values = np.random.default_rng(7).normal(25, 2, size=2000)
    low, high = measures.bootstrap_interval(values)
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert low == pytest.approx(values.mean() - half, abs=half * 0.1)
    assert high == pytest.approx(values.mean() + half, abs=half * 0.1)


def test_the_bootstrap_interval_repeats_and_holds_its_confidence() -> None:
    values = np.arange(30.0)
    assert measures.bootstrap_interval(values) == measures.bootstrap_interval(values)
    low, high = measures.bootstrap_interval(values, confidence=0.5)
    wide_low, wide_high = measures.bootstrap_interval(values, confidence=0.99)
    assert wide_low < low < values.mean() < high < wide_high


def test_the_bootstrap_interval_of_one_value_is_the_value() -> None:
    assert measures.bootstrap_interval(np.array([3.5])) == (3.5, 3.5)


def test_the_bootstrap_interval_takes_infinite_values() -> None:
    low, high = measures.bootstrap_interval(np.array([20.0, 21.0, np.inf]))
    assert low < 22
    assert high == math.inf


def test_the_bootstrap_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="one value"):
        measures.bootstrap_interval(np.empty(0))
