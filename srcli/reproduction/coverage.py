"""How much of the real faces a generator covers, and how many of its samples are among them.

Precision and recall after Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative
Models", 2019, section 2 (eq. 1 and 2). Features are float64 (N, D).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from srcli.pictures.resize import area_average

Features = NDArray[np.float64]
Pictures = NDArray[Any]

_NEIGHBOURS = 3  # the paper's k
_FEATURE_SIDE = 8
_BATCH_DISTANCES = 4_000_000  # 32 MB of float64


def recall(samples: Features, references: Features, k: int = _NEIGHBOURS) -> float:
    """The share of the references that are inside the samples' manifold, in [0, 1]; reversed, the precision.

    The manifold is the union of the balls around each sample whose radius is the distance to its k-th nearest
    other sample. A generator with few modes covers few references. Radii shrink as samples become more, so
    compare only figures of equally many samples and references; what can be reached is the recall of as many
    other real faces. A single outlier among the samples has a large ball: look at the duplicates as well.

    Args:
        samples: (N, D), more than k.
        references: (M, D), at least one.
        k: Which nearest neighbour gives a ball its radius.
    """
    if samples.ndim != 2 or samples.shape[1:] != references.shape[1:]:
        raise ValueError(f"features of {samples.shape} and {references.shape} cannot be compared")
    if k < 1 or len(samples) <= k or len(references) == 0:
        counts = f"{len(samples)} points, for {len(references)} others"
        raise ValueError(f"neighbour {k} of {counts}: there are too few")
    radii = _neighbour_distances(samples, k)
    inside = [
        np.any(cdist(references[rows], samples) <= radii, axis=1)
        for rows in _batches(len(references), len(samples))
    ]
    return float(np.concatenate(inside).mean())


def face_coverage(samples: Pictures, references: Pictures) -> dict[str, float]:
    """Precision and recall of pictures by `coarse_features`, standardised by the references.

    Real faces don't reach 1: 300 of CelebA cover .73 of 300 others, with a precision of .79.

    Args:
        samples: (N, H, W, 3), four or more.
        references: (M, H, W, 3), four or more.
    """
    of_samples, of_references = coarse_features(samples), coarse_features(references)
    ours = standardised(of_samples, of_references)
    real = standardised(of_references, of_references)
    return {"precision": recall(real, ours), "recall": recall(ours, real)}


def coarse_features(pictures: Pictures) -> Features:
    """What a face looks like from afar: its area average of 8 x 8 pixels, (N, 192).

    These are not the VGG-16 features of Kynkäänniemi et al., which need a network trained on a million other
    pictures. They see pose, light, hair, skin and background, but nothing finer than an eighth of a face, so
    the figures can't be compared with published ones and say nothing about sharpness or detail.

    Args:
        pictures: (N, H, H, 3), H a multiple of 8, on any scale as long as it is the same for all.
    """
    height, width = pictures.shape[1:3]
    if height != width or height % _FEATURE_SIDE:
        side = f"{_FEATURE_SIDE} x {_FEATURE_SIDE}"
        raise ValueError(f"pictures of {height} x {width} have no area average of {side}")
    return area_average(pictures, height // _FEATURE_SIDE).reshape(len(pictures), -1)


def standardised(features: Features, references: Features) -> Features:
    """Features in the references' standard deviations from the references' mean: each weighs the same.

    A feature in which the references don't differ is only centred.
    """
    deviation = references.std(axis=0)
    scaled: Features = (features - references.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    return scaled


def _neighbour_distances(points: Features, k: int) -> Features:
    """The distance of each point to its k-th nearest other: (N, D) -> (N,)."""
    # Index k, as the smallest distance of each is 0, to itself.
    batches = _batches(len(points), len(points))
    return np.concatenate([np.partition(cdist(points[rows], points), k)[:, k] for rows in batches])


def _batches(rows: int, columns: int) -> Iterator[slice]:
    """Parts of a table of distances that fit into memory."""
    size = max(1, _BATCH_DISTANCES // columns)
    return (slice(first, first + size) for first in range(0, rows, size))
