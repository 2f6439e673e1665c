"""Degrading one label: each step against an independent computation, and its frequency."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats
from tiny_experiments import small_dataset

from srcli.data.degradation import (
    Blur,
    Compression,
    Degradation,
    Kernel,
    Noise,
    Reduction,
    add_noise,
    blur,
    compress,
    degrade,
    gaussian_kernel,
    reduce,
)
from srcli.data.degradation_settings import DegradationSettings
from srcli.data.task import PAPER
from srcli.pictures.pixels import Pixels, to_uint8
from srcli.pictures.resize import area_average

PICTURE = small_dataset().faces[0, 4:68, 4:68]
OFF = {"blur": {"probability": 0.0}, "noise": {"probability": 0.0}, "shot_noise": {"probability": 0.0}}


def draws(settings: DegradationSettings, count: int = 10_000) -> list[Degradation]:
    """That many draws from one generator, without those that leave the input exact."""
    random = np.random.default_rng(1)
    drawn = (settings.draw(random) for _ in range(count))
    return [plan for plan in drawn if plan is not None]


# The steps


@pytest.mark.parametrize("sigma", [0.2, 1.3, 2.0])
def test_an_isotropic_blur_is_scipys_on_a_delta_and_on_a_face(sigma: float) -> None:
    delta = np.zeros((41, 40, 3), np.uint8)
    delta[20, 17] = 255
    for picture in (delta, PICTURE):
        expected = ndimage.gaussian_filter(picture.astype(float), (sigma, sigma, 0), mode="reflect")
        difference = blur(picture, Blur(sigma)) - expected
        assert np.abs(difference).max() < 0.5 + 1e-6  # the rounding


def test_an_anisotropic_blur_has_its_two_sigmas_along_its_axes() -> None:
    kernel = gaussian_kernel(Blur(sigma=3.0, ratio=0.5, angle=np.pi / 6))
    assert kernel.sum() == pytest.approx(1)
    reach = len(kernel) // 2
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    covariance = np.cov(np.stack([columns.ravel(), rows.ravel()]), aweights=kernel.ravel(), ddof=0)
    variances, axes = np.linalg.eigh(covariance)
    assert np.sqrt(variances) == pytest.approx([1.5, 3.0], rel=2e-3)
    assert abs(axes[:, 1] @ [np.cos(np.pi / 6), np.sin(np.pi / 6)]) == pytest.approx(1, abs=1e-4)


def test_an_upright_anisotropic_blur_is_scipys() -> None:
    expected = ndimage.gaussian_filter(
        PICTURE.astype(float), (2.0, 1.0, 0), radius=(8, 8, 0), mode="reflect"
    )  # longer along the columns
    assert np.abs(blur(PICTURE, Blur(2.0, 0.5, np.pi / 2)) - expected).max() < 0.5 + 1e-6


@pytest.mark.parametrize("kernel", ["bicubic", "bilinear", "lanczos"])
def test_kernels_are_pillows_also_via_another_size(kernel: Kernel) -> None:
    image, resampling = Image.fromarray(PICTURE), Image.Resampling[kernel.upper()]
    once = np.asarray(image.resize((16, 16), resampling))
    assert np.array_equal(reduce(PICTURE, 16, Reduction(kernel)), once)
    twice = image.resize((23, 23), Image.Resampling.BICUBIC).resize((16, 16), resampling)
    assert np.array_equal(reduce(PICTURE, 16, Reduction(kernel, (1.42, "bicubic"))), np.asarray(twice))


def test_areas_are_averages_and_enlarge_linearly() -> None:
    assert np.array_equal(reduce(PICTURE, 16, Reduction("area")), PAPER.low_res_of(PICTURE[None])[0])
    eighth = Image.fromarray(to_uint8(area_average(PICTURE, 8)))
    expected = np.asarray(eighth.resize((16, 16), Image.Resampling.BILINEAR))
    assert np.array_equal(reduce(PICTURE, 16, Reduction("area", (0.5, "area"))), expected)


def differences(grey: int, noise: Noise) -> np.ndarray[Any, np.dtype[np.float64]]:
    pixels = np.full((200, 200, 3), grey, np.uint8)
    return add_noise(pixels, noise, np.random.default_rng(0)) - pixels.astype(float)


def test_gaussian_noise_has_its_sigma_and_colours_apart() -> None:
    values = differences(128, Noise(7.0))
    assert values.mean() == pytest.approx(0, abs=0.1)
    assert values.std() == pytest.approx(np.hypot(7, np.sqrt(1 / 12)), rel=0.01)  # and that of rounding
    assert stats.kurtosis(values.ravel()) == pytest.approx(0, abs=0.1)
    assert np.abs(np.corrcoef(values.reshape(-1, 3).T) - np.eye(3)).max() < 0.03


def test_grey_noise_is_the_same_in_all_colours() -> None:
    values = differences(128, Noise(7.0, is_grey=True))
    assert np.array_equal(values, values[..., :1].repeat(3, 2))
    assert values.std() == pytest.approx(7, rel=0.02)


def test_the_variance_of_shot_noise_is_proportional_to_the_value() -> None:
    for grey in (40, 160):
        expected = 9.0**2 * grey / 255 + 1 / 12
        assert differences(grey, Noise(shot_sigma=9.0)).var() == pytest.approx(expected, rel=0.02)
    assert not differences(0, Noise(shot_sigma=9.0)).any()


def pillows_jpeg(pixels: Pixels, quality: int, subsampling: str) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling={"444": 0, "420": 2}[subsampling])
    return np.asarray(Image.open(file))


@pytest.mark.parametrize("subsampling", ["444", "420"])
@pytest.mark.parametrize(("quality", "offset"), [(50, (0, 0)), (75, (3, 6)), (95, (13, 8))])
def test_jpeg_is_pillows_of_a_larger_picture_cropped(
    subsampling: str, quality: int, offset: tuple[int, int]
) -> None:
    small = PAPER.low_res_of(PICTURE[None])[0]
    top, left = offset
    # Mirrored: row -1 is row 0, row -2 is row 1.
    whole = np.concatenate([small[:top][::-1], small])
    whole = np.concatenate([whole[:, :left][:, ::-1], whole], axis=1)
    expected = pillows_jpeg(whole, quality, subsampling)[top:, left:].astype(int)
    compressed = compress(small, Compression(quality, subsampling, offset))  # type: ignore[arg-type]
    assert np.abs(compressed - expected).max() <= 2  # two builds of a decoder may round differently
    assert np.abs(compressed - small.astype(int)).mean() > 1


def test_the_steps_run_in_order() -> None:
    random = np.random.default_rng(3)
    plan = Degradation(Blur(1.0), Reduction("bicubic"), Noise(4.0), Compression(60, "444", (1, 2)))
    reduced = reduce(blur(PICTURE, Blur(1.0)), 16, Reduction("bicubic"))
    noisy = add_noise(reduced, Noise(4.0), np.random.default_rng(3))
    expected = compress(noisy, Compression(60, "444", (1, 2)))
    assert np.array_equal(degrade(PICTURE, 16, plan, random), expected)


# The draws


def test_the_defaults_are_drawn_as_often_and_as_widely_as_they_say() -> None:
    plans = draws(DegradationSettings())
    assert len(plans) / 10_000 == pytest.approx(0.5, abs=0.03)

    def share(holds: list[bool]) -> float:
        return sum(holds) / len(holds)

    blurs = [plan.blur for plan in plans if plan.blur]
    assert len(blurs) / len(plans) == pytest.approx(0.5, abs=0.04)
    assert share([blur.ratio == 1 for blur in blurs]) == pytest.approx(0.5, abs=0.05)
    assert_uniform([blur.sigma for blur in blurs], 0.2, 2.0)
    assert_uniform([blur.ratio for blur in blurs if blur.ratio != 1], 0.6, 1.0)
    assert_uniform([blur.angle for blur in blurs if blur.ratio != 1], 0, np.pi)
    kernels = [plan.reduction.kernel for plan in plans]
    for kernel, expected in (("area", 0.5), ("bicubic", 0.25), ("bilinear", 0.15), ("lanczos", 0.1)):
        assert kernels.count(kernel) / len(plans) == pytest.approx(expected, abs=0.04)
    detours = [plan.reduction.detour for plan in plans if plan.reduction.detour]
    assert len(detours) / len(plans) == pytest.approx(1 / 3, abs=0.04)
    assert_uniform([factor for factor, _ in detours], 0.5, 1.5)
    noises = [plan.noise for plan in plans if plan.noise]
    assert share([noise.sigma > 0 for noise in noises]) * len(noises) / len(plans) == pytest.approx(
        0.4, abs=0.04
    )
    assert_uniform([noise.sigma for noise in noises if noise.sigma], 0, 10)
    assert share([noise.is_grey for noise in noises if noise.sigma]) == pytest.approx(0.4, abs=0.05)
    assert sum(noise.shot_sigma > 0 for noise in noises) / len(plans) == pytest.approx(0.2, abs=0.03)
    jpegs = [plan.compression for plan in plans if plan.compression]
    assert len(jpegs) / len(plans) == pytest.approx(0.6, abs=0.04)
    assert {jpeg.quality for jpeg in jpegs} == set(range(50, 96))
    assert share([jpeg.subsampling == "420" for jpeg in jpegs]) == pytest.approx(0.5, abs=0.05)
    assert {jpeg.offset for jpeg in jpegs} == {(top, left) for top in range(16) for left in range(16)}


def assert_uniform(values: list[float], low: float, high: float) -> None:
    assert low <= min(values) <= max(values) <= high
    assert stats.kstest(values, "uniform", (low, high - low)).pvalue > 1e-3


def test_a_changed_setting_leaves_the_other_draws_as_they_were() -> None:
    defaults = {"exact_share": 0.0}
    before = draws(DegradationSettings.model_validate(defaults), 50)
    after = draws(DegradationSettings.model_validate({**defaults, **OFF}), 50)
    assert after == [replace(plan, blur=None, noise=None) for plan in before]
