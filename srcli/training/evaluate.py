"""How good the generator is so far: metrics on the test split, and a grid of fixed test faces."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from srcli.data.dataset import Dataset
from srcli.data.task import PAPER, Task
from srcli.errors import DataError
from srcli.metrics.table import measure_images, measure_set
from srcli.pictures.pixels import Pixels, from_network, grid, to_network
from srcli.pictures.resize import enlarge_bicubic, enlarge_nearest
from srcli.training.state import TrainingState, draw_noise, random_for
from srcli.training.symptoms import SYMPTOM_FACES, adversary_share, symptoms, with_copied_buffers

SAMPLE_FACES = 8
SAMPLE_DRAW = 2
BATCH = 50

Statistics = Literal["running", "batch"]


@dataclass(frozen=True)
class TestFaces:
    """The labels (N, H, H, 3) that a run is measured on and their 8-bit inputs (N, h, h, 3).

    Attributes:
        train: Training faces (n, H, H, 3), beside whose scores those of the labels are looked at.
    """

    __test__ = False  # not a test case of pytest's

    labels: Pixels
    low_res: Pixels
    train: Pixels


def choose_test_faces(dataset: Dataset, limit: int, task: Task = PAPER) -> TestFaces:
    """The first `limit` faces of the test split.

    Raises:
        DataError: The test split is empty, or the faces are too small for the task.
    """
    labels = dataset.labels("test", limit, task)
    if len(labels) == 0:
        raise DataError(f"{dataset.source} has no test faces", "Prepare it again with a larger --holdout.")
    return TestFaces(labels, task.low_res_of(labels), dataset.labels("train", SYMPTOM_FACES, task))


def evaluate(state: TrainingState, faces: TestFaces) -> dict[str, float]:
    """Metrics of the 8-bit outputs for the test faces, by key.

    Of generators of pictures the means of all image metrics; of generators from noise all set metrics of as
    many faces as there are test faces. With batch normalisation, every metric also for either kind of
    statistics, as `psnr_running` and `psnr_batch`. All have the symptoms and the adversary's share.
    """
    chosen = state.experiment.training.batch_norm_at_test
    # Without batch normalisation, both kinds of statistics give the same outputs.
    has_both = state.experiment.generator.normalization == "batch"
    kinds: tuple[Statistics, ...] = ("running", "batch") if has_both else (chosen,)
    outputs = {kind: _outputs(state, faces, kind) for kind in kinds}
    metrics = {kind: _metrics(state, outputs[kind], faces) for kind in kinds}
    both = {f"{key}_{kind}": value for kind in kinds for key, value in metrics[kind].items()}
    return {
        **metrics[chosen],
        **(both if has_both else {}),
        **symptoms(state, outputs[chosen], faces.train, faces.labels),
        **adversary_share(state, faces.low_res, faces.labels),
    }


def _outputs(state: TrainingState, faces: TestFaces, statistics: Statistics) -> Pixels:
    """One output for every test face."""
    if state.experiment.sizes.takes_noise:
        return draw_faces(state, len(faces.labels), statistics)
    return enlarge(state, faces.low_res, statistics)


def _metrics(state: TrainingState, outputs: Pixels, faces: TestFaces) -> dict[str, float]:
    if state.experiment.sizes.takes_noise:
        return measure_set(outputs / 255)
    of_images = measure_images(outputs / 255, faces.labels / 255, faces.low_res / 255)
    return {key: float(values.mean()) for key, values in of_images.items()}


def sample_grid(state: TrainingState, faces: TestFaces) -> Pixels:
    """A row each of inputs, bicubic, outputs and labels; from noise, a square of faces."""
    statistics = state.experiment.training.batch_norm_at_test
    if state.experiment.sizes.takes_noise:
        drawn = draw_faces(state, SAMPLE_FACES**2, statistics)
        return grid([list(row) for row in np.split(drawn, SAMPLE_FACES)])
    low_res, labels = faces.low_res[:SAMPLE_FACES], faces.labels[:SAMPLE_FACES]
    outputs = enlarge(state, low_res, statistics)
    scale = state.experiment.task.scale
    rows = [enlarge_nearest(low_res, scale), enlarge_bicubic(low_res, scale), outputs, labels]
    return grid([list(row) for row in rows])


def enlarge(state: TrainingState, low_res: Pixels, statistics: Statistics) -> Pixels:
    """The generator's 8-bit outputs (N, H, H, 3) for 8-bit inputs (N, h, h, 3).

    Args:
        statistics: What batch normalisation uses: the running statistics, or those of each batch of faces, as
            in training. A single face is no batch and gets the running ones.
    """
    return _run(state, torch.from_numpy(to_network(low_res)), statistics)


def draw_faces(state: TrainingState, count: int, statistics: Statistics) -> Pixels:
    """Faces (count, H, H, 3) from noise that is the same throughout a run; statistics as for `enlarge`."""
    random = random_for(state.experiment.training.seed, SAMPLE_DRAW)
    return _run(state, draw_noise(state, count, random), statistics)


@torch.no_grad()
def _run(state: TrainingState, inputs: torch.Tensor, statistics: Statistics) -> Pixels:
    network = state.best_generator
    was_training = network.training
    by_batch = statistics == "batch" and len(inputs) > 1
    size = state.experiment.training.batch_size if by_batch else BATCH
    parts = inputs.tensor_split(max(len(inputs) // size, 1)) if by_batch else inputs.split(size)
    network.train(by_batch)
    with state.autocast():
        outputs = [with_copied_buffers(network, part.to(state.device)).float().cpu() for part in parts]
    network.train(was_training)
    return from_network(torch.cat(outputs).numpy())
