"""The final metrics of a run: on all test faces, with both kinds of batch statistics, and from noise."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from srcli.data.dataset import Dataset
from srcli.data.task import PAPER
from srcli.errors import DataError
from srcli.metrics.measures import PerImage
from srcli.metrics.table import measure_images, measure_set
from srcli.pictures.pixels import Pixels
from srcli.pictures.resize import enlarge_bicubic, enlarge_nearest
from srcli.reproduction.coverage import face_coverage
from srcli.training.evaluate import Statistics, draw_faces, enlarge
from srcli.training.state import TrainingState

NOISE_SAMPLES = 1000
MOST_FOR_DISTANCES = 300
KEYS = 4  # Keys's kernel reaches two pixels to either side


def test_labels(dataset: Dataset) -> Pixels:
    """The labels (N, 64, 64, 3) of the test split.

    Raises:
        DataError: There are fewer than 8, too few to judge by.
    """
    labels = dataset.labels("test", None)
    if len(labels) < 8:
        raise DataError(f"{dataset.source} has {len(labels)} test faces, too few to judge runs by")
    return labels


def measure_run(state: TrainingState, labels: Pixels) -> tuple[dict[str, float], dict[str, PerImage]]:
    """The metrics of a run on test faces, and those of each face, by key and kind of batch statistics.

    Super-resolution, as `psnr_running`: the means of the image metrics, and the set metrics and the spread of
    the first 300 outputs. From noise: set metrics, spread, `precision` and `recall` of 1,000 samples against
    the test faces.
    """
    metrics: dict[str, float] = {}
    faces: dict[str, PerImage] = {}
    has_batch_norm = state.experiment.generator.normalization == "batch"
    kinds: list[Statistics] = ["running", "batch"] if has_batch_norm else ["running"]
    for kind in kinds:
        if state.experiment.sizes.takes_noise:
            samples = draw_faces(state, NOISE_SAMPLES, kind)
            of_kind = measure_set(samples / 255, labels / 255) | face_coverage(samples, labels)
        else:
            outputs = enlarge(state, PAPER.low_res_of(labels), kind)
            first = slice(MOST_FOR_DISTANCES)
            own = face_metrics(outputs, labels)
            faces |= {f"{key}_{kind}": values for key, values in own.items()}
            of_kind = measure_set(outputs[first] / 255, labels[first] / 255)
            of_kind |= {key: float(values.mean()) for key, values in own.items()}
        metrics |= {f"{key}_{kind}": value for key, value in of_kind.items()}
    return metrics, faces


def face_metrics(outputs: Pixels, labels: Pixels) -> dict[str, PerImage]:
    """The metrics of each enlarged face: 8-bit outputs and labels (N, 64, 64, 3)."""
    return measure_images(outputs / 255, labels / 255, PAPER.low_res_of(labels) / 255)


def measure_baselines(labels: Pixels) -> Mapping[str, dict[str, PerImage]]:
    """The metrics of each face for nearest neighbour, Pillow's bicubic and TensorFlow 1's."""
    low_res = PAPER.low_res_of(labels)
    enlarged = {
        "nearest": enlarge_nearest(low_res, PAPER.scale),
        "bicubic": enlarge_bicubic(low_res, PAPER.scale),
        "bicubic_tensorflow1": enlarge_tensorflow1(low_res),
    }
    return {name: face_metrics(outputs, labels) for name, outputs in enlarged.items()}


def enlarge_tensorflow1(low_res: Pixels) -> Pixels:
    """TensorFlow 1's `resize_bicubic` of 8-bit pictures: (N, h, w, 3) to (N, 4h, 4w, 3).

    Keys's kernel with a = -0.75 and without `align_corners`: output pixel i is read at i / scale, not at
    (i + 1/2) / scale - 1/2, which shifts the picture by 3/8 of an input pixel. It is the baseline that the
    authors' code draws.
    """
    rows, columns = (_shifted_weights(size) for size in low_res.shape[1:3])
    values = np.einsum("ih,nhwc,jw->nijc", rows, low_res.astype(np.float64), columns, optimize=True)
    pixels: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return pixels


def _shifted_weights(size: int) -> NDArray[np.float64]:
    """The weights of the inputs in each output of a line, (4 size, size); edges are repeated."""
    weights = np.zeros((PAPER.scale * size, size))
    for place in range(PAPER.scale * size):
        first = place // PAPER.scale - 1
        for tap in range(first, first + KEYS):
            weights[place, np.clip(tap, 0, size - 1)] += _keys(abs(place / PAPER.scale - tap))
    return weights


def _keys(distance: float, a: float = -0.75) -> float:
    """Keys's cubic convolution kernel (1981, equation 15)."""
    if distance <= 1:
        return (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    if distance < 2:
        return a * distance**3 - 5 * a * distance**2 + 8 * a * distance - 4 * a
    return 0.0
