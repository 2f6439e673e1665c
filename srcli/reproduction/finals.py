"""What a finished run is measured by: all test faces, both kinds of batch statistics, samples from noise."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcli.data.dataset import Dataset
from srcli.data.task import PAPER
from srcli.errors import DataError
from srcli.metrics.measures import consistency, diversity, l1, psnr, sharpness, ssim
from srcli.pictures.pixels import Pixels
from srcli.pictures.resize import enlarge_bicubic, enlarge_nearest
from srcli.reproduction.coverage import face_coverage
from srcli.training.evaluate import Statistics, draw_faces, enlarge
from srcli.training.state import TrainingState

NOISE_SAMPLES = 1000
MOST_FOR_DISTANCES = 300
KEYS = 4  # Keys's kernel reaches two pixels to either side

Values = NDArray[np.float64]


def test_labels(dataset: Dataset) -> Pixels:
    """The labels (N, 64, 64, 3) of the test split.

    Raises:
        DataError: There are fewer than 8, too few to judge by.
    """
    labels = dataset.labels("test", None)
    if len(labels) < 8:
        raise DataError(f"{dataset.source} has {len(labels)} test faces, too few to judge runs by")
    return labels


def measure_run(state: TrainingState, labels: Pixels) -> tuple[dict[str, float], dict[str, Values]]:
    """Figures of a run on test faces, and those of each face, by name and the kind of batch statistics.

    Super-resolution, `psnr_running` and so on: PSNR (dB), SSIM, L1, consistency, sharpness and colour shift
    of each face; of the first 300, `spread`, the mean distance of two outputs over that of two labels, and
    `duplicates`. From noise: the same two, `precision` and `recall` of 1,000 samples against the test faces.
    """
    figures: dict[str, float] = {}
    faces: dict[str, Values] = {}
    has_batch_norm = state.experiment.generator.normalization == "batch"
    kinds: list[Statistics] = ["running", "batch"] if has_batch_norm else ["running"]
    for kind in kinds:
        if state.experiment.sizes.takes_noise:
            of_kind = _samples_figures(draw_faces(state, NOISE_SAMPLES, kind), labels)
        else:
            outputs = enlarge(state, PAPER.low_res_of(labels), kind)
            own = faces_figures(outputs, labels)
            faces |= {f"{name}_{kind}": values for name, values in own.items()}
            of_kind = _variety(outputs, labels) | {name: float(v.mean()) for name, v in own.items()}
        figures |= {f"{name}_{kind}": value for name, value in of_kind.items()}
    return figures, faces


def faces_figures(outputs: Pixels, labels: Pixels) -> dict[str, Values]:
    """Figures of each enlarged face (N,): 8-bit outputs and labels (N, 64, 64, 3).

    `colour` is the mean absolute difference of the mean red, green and blue, in [0, 1].
    """
    x, y = outputs / 255, labels / 255
    return {
        "psnr": psnr(x, y),
        "ssim": ssim(x, y),
        "l1": l1(x, y),
        "consistency": consistency(x, PAPER.low_res_of(labels) / 255),
        "sharpness": sharpness(x, y),
        "colour": np.abs(x.mean(axis=(1, 2)) - y.mean(axis=(1, 2))).mean(axis=1),
    }


def measure_baselines(labels: Pixels) -> Mapping[str, dict[str, Values]]:
    """The figures of each face for nearest neighbour, Pillow's bicubic and TensorFlow 1's."""
    low_res = PAPER.low_res_of(labels)
    enlarged = {
        "nearest": enlarge_nearest(low_res, PAPER.scale),
        "bicubic": enlarge_bicubic(low_res, PAPER.scale),
        "bicubic_tensorflow1": enlarge_tensorflow1(low_res),
    }
    return {name: faces_figures(outputs, labels) for name, outputs in enlarged.items()}


def enlarge_tensorflow1(low_res: Pixels, scale: int = 4) -> Pixels:
    """What TensorFlow 1's `resize_bicubic` makes of 8-bit pictures: (N, h, w, 3) to (N, 4h, 4w, 3).

    Keys's kernel with a = -0.75 and without `align_corners`: output pixel i is taken from i / scale, not from
    (i + 1/2) / scale - 1/2, so that the picture is shifted by 3/8 of an input pixel. It is the baseline that
    the authors' code draws.
    """
    rows = _shifted_weights(low_res.shape[1], scale)
    columns = _shifted_weights(low_res.shape[2], scale)
    values: Values = np.einsum("ih,nhwc,jw->nijc", rows, low_res.astype(np.float64), columns, optimize=True)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _shifted_weights(size: int, scale: int) -> Values:
    """The weights of the inputs in each output of a line, (scale size, size); edges are repeated."""
    weights = np.zeros((scale * size, size))
    for place in range(scale * size):
        first = place // scale - 1
        for tap in range(KEYS):
            distance = abs(place / scale - (first + tap))
            weights[place, np.clip(first + tap, 0, size - 1)] += _keys(distance)
    return weights


def _keys(distance: float, a: float = -0.75) -> float:
    """Keys's cubic convolution kernel (1981, equation 15)."""
    if distance <= 1:
        return (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    if distance < 2:
        return a * distance**3 - 5 * a * distance**2 + 8 * a * distance - 4 * a
    return 0.0


def _variety(outputs: Pixels, labels: Pixels) -> dict[str, float]:
    ours = diversity(outputs[:MOST_FOR_DISTANCES] / 255)
    theirs = diversity(labels[:MOST_FOR_DISTANCES] / 255)
    return {
        "spread": ours.mean_pairwise_distance / theirs.mean_pairwise_distance,
        "duplicates": ours.nearest_duplicate_rate,
    }


def _samples_figures(samples: Pixels, labels: Pixels) -> dict[str, float]:
    ours, theirs = diversity(samples / 255), diversity(labels / 255)
    coverage: Any = face_coverage(samples, labels)
    return {
        "spread": ours.mean_pairwise_distance / theirs.mean_pairwise_distance,
        "duplicates": ours.nearest_duplicate_rate,
        "precision": coverage.precision,
        "recall": coverage.recall,
    }
