"""Measures of enlarged images, of sets of images, and intervals of means.

Images are (N, H, W, 3) with values in [0, 1].
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
PerImage = NDArray[np.float64]
"""One value an image, (N,)."""

_Array = NDArray[np.float64]

# Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004.
_SSIM_RADIUS = 5
_SSIM_SIGMA = 1.5
_SSIM_C1 = 0.01**2
_SSIM_C2 = 0.03**2
_SSIM_BATCH = 32  # keeps the maps of the statistics within a few megabytes

_DUPLICATE_SHARE = 0.25
_HARDLY_VISIBLE = 5 / 255


@dataclass(frozen=True)
class Diversity:
    """How different samples are from one another.

    Attributes:
        mean_pairwise_distance: Mean over all pairs of the root mean square difference, in [0, 1].
        nearest_duplicate_rate: Share of the samples with a near copy among the others, in [0, 1].
    """

    mean_pairwise_distance: float
    nearest_duplicate_rate: float


def psnr(images: Floats, labels: Floats) -> PerImage:
    """Peak signal-to-noise ratio in dB, `10 log10(1 / MSE)` over all pixels and channels.

    An image equal to its label gets infinity.
    """
    error = np.square(_difference(images, labels)).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return np.asarray(-10 * np.log10(error))


def l1(images: Floats, labels: Floats) -> PerImage:
    """Mean absolute difference over all pixels and channels, in [0, 1]."""
    return np.asarray(np.abs(_difference(images, labels)).mean(axis=(1, 2, 3)))


def consistency(images: Floats, low_res: Floats) -> PerImage:
    """Mean absolute difference between images (N, k h, k w, 3), area-averaged, and inputs (N, h, w, 3).

    It is 0 for an image that shrinks to exactly its input (the L1 term of eq. 7, for values in [0, 1]).
    """
    count, height, width, channels = low_res.shape
    factor = images.shape[1] // height
    if images.shape != (count, height * factor, width * factor, channels):
        raise ValueError(f"pictures of {images.shape} do not shrink to {low_res.shape}")
    blocks = _double(images).reshape(count, height, factor, width, factor, channels)
    return l1(blocks.mean(axis=(2, 4)), low_res)


def sharpness(images: Floats, labels: Floats) -> PerImage:
    """Mean absolute step between neighbouring pixels, over the label's: 1 is as sharp as the label.

    The mean steps down the columns and along the rows, of the mean of red, green and blue, are added. Where
    the label has no step at all, an image without one gets 1 and any other infinity.
    """
    _check_same_shape(images, labels)
    steps, label_steps = _mean_step(images), _mean_step(labels)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = steps / label_steps
    return np.where(steps == label_steps, 1.0, ratio)


def colour_shift(images: Floats, labels: Floats) -> PerImage:
    """Mean absolute difference of the mean red, green and blue, in [0, 1]."""
    _check_same_shape(images, labels)
    means, label_means = _double(images).mean(axis=(1, 2)), _double(labels).mean(axis=(1, 2))
    return np.asarray(np.abs(means - label_means).mean(axis=1))


def ssim(images: Floats, labels: Floats) -> PerImage:
    """Structural similarity (Wang et al., 2004), the mean of the three channels; 1 for equal images.

    An 11x11 Gaussian window of sigma 1.5 that stays inside the picture; K1 = 0.01, K2 = 0.03, data range 1.
    """
    _check_same_shape(images, labels)
    if min(images.shape[1:3]) <= 2 * _SSIM_RADIUS:
        raise ValueError("the window of SSIM needs 11 x 11 pixels, not {} x {}".format(*images.shape[1:3]))
    starts = range(0, len(images), _SSIM_BATCH)
    parts = [_ssim_of_batch(images[i : i + _SSIM_BATCH], labels[i : i + _SSIM_BATCH]) for i in starts]
    return np.concatenate([np.empty(0), *parts])


def diversity(samples: Floats) -> Diversity:
    """How different samples are, two or more.

    The distance of two images is their root mean square difference. A sample has a near copy when its
    nearest other sample is closer than a quarter of the samples' mean contrast (the standard deviation of
    an image's values), that is, when the difference has a sixteenth of an image's own energy (a
    correlation of about 0.97), or closer than 5/255, which is hard to see at any contrast. The nearest two
    of 300 CelebA faces are half their contrast apart, so real faces have no near copies by this measure,
    unless the same photograph is there twice. The threshold scales with the contrast, not with the mean
    distance, so that a generator with one mode is not judged by its own lack of variety.
    """
    if len(samples) < 2:
        raise ValueError("diversity needs two samples or more")
    rows = _double(samples).reshape(len(samples), -1)
    contrast = float(rows.std(axis=1).mean())
    distances = _pairwise_distances(rows)
    pairs = distances[np.triu_indices(len(rows), k=1)]
    np.fill_diagonal(distances, np.inf)
    threshold = max(_DUPLICATE_SHARE * contrast, _HARDLY_VISIBLE)
    return Diversity(float(pairs.mean()), float(np.mean(distances.min(axis=1) < threshold)))


def bootstrap_interval(
    values: PerImage, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean of one or more values, of which any may be infinite.

    N values are drawn with replacement, `resamples` times.
    """
    if len(values) == 0:
        raise ValueError("an interval needs one value or more")
    generator = np.random.default_rng(seed)
    means = [values[generator.integers(len(values), size=len(values))].mean() for _ in range(resamples)]
    means.sort()
    tail = int((1 - confidence) / 2 * resamples)
    return float(means[tail]), float(means[-1 - tail])


def _double(images: Floats) -> _Array:
    return np.asarray(images, dtype=np.float64)


def _difference(images: Floats, labels: Floats) -> _Array:
    _check_same_shape(images, labels)
    return _double(images) - _double(labels)


def _check_same_shape(images: Floats, labels: Floats) -> None:
    if images.shape != labels.shape:
        raise ValueError(f"pictures of {images.shape} cannot be measured against labels of {labels.shape}")


def _mean_step(images: Floats) -> PerImage:
    grey = _double(images).mean(axis=3)  # (N, H, W, 3) -> (N, H, W)
    down = np.abs(np.diff(grey, axis=1)).mean(axis=(1, 2))
    across = np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2))
    return np.asarray(down + across)


def _ssim_of_batch(images: Floats, labels: Floats) -> PerImage:
    x, y = _double(images), _double(labels)
    mean_x, mean_y = _weighted_mean(x), _weighted_mean(y)
    variance_x = _weighted_mean(x * x) - mean_x**2
    variance_y = _weighted_mean(y * y) - mean_y**2
    covariance = _weighted_mean(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _SSIM_C1) / (mean_x**2 + mean_y**2 + _SSIM_C1)
    structure = (2 * covariance + _SSIM_C2) / (variance_x + variance_y + _SSIM_C2)
    return np.asarray((luminance * structure).mean(axis=(1, 2, 3)))


def _weighted_mean(values: _Array) -> _Array:
    """The Gaussian mean around every pixel whose window is inside: (N, H, W, 3) -> (N, H-10, 3, W-10)."""
    count, height, width, channels = values.shape
    down = np.matmul(_gaussian_windows(height), values.reshape(count, height, width * channels))
    rows = down.reshape(count, -1, width, channels)
    return np.asarray(np.matmul(rows.swapaxes(2, 3), _gaussian_windows(width).T))


def _gaussian_windows(size: int) -> _Array:
    """The weights of every window that lies inside a line of pixels: (size - 10, size)."""
    offsets = np.arange(size)[None, :] - np.arange(_SSIM_RADIUS, size - _SSIM_RADIUS)[:, None]
    weights = np.exp(-0.5 * (offsets / _SSIM_SIGMA) ** 2) * (np.abs(offsets) <= _SSIM_RADIUS)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _pairwise_distances(rows: _Array) -> _Array:
    """Root mean square differences: (N, D) -> (N, N)."""
    centred = rows - rows.mean(axis=0)  # small numbers lose less in the subtraction below
    energy = np.square(centred).mean(axis=1)
    squared = energy[:, None] + energy[None, :] - 2 * (centred @ centred.T) / rows.shape[1]
    return np.asarray(np.sqrt(np.maximum(squared, 0)))
