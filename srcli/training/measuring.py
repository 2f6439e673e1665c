"""How good the generator is by now: figures on the test split and a grid of fixed test faces."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from srcli.data.dataset import Dataset
from srcli.data.images import (
    Pixels,
    enlarge_bicubic,
    enlarge_nearest,
    from_network,
    grid,
    low_res_of,
    to_network,
)
from srcli.errors import DataError
from srcli.metrics import consistency, diversity, l1, psnr, ssim
from srcli.training.state import TrainingState, draw_noise, random_for
from srcli.training.symptoms import SYMPTOM_FACES, symptoms

SAMPLE_FACES = 8
SAMPLE_DRAW = 2
BATCH = 50


@dataclass(frozen=True)
class TestFaces:
    """The labels (N, 64, 64, 3) that a run is measured on and their 8-bit inputs (N, 16, 16, 3).

    Attributes:
        train: Training faces (n, 64, 64, 3) beside which the critic's scores of the labels are looked at.
    """

    __test__ = False  # not a test case of pytest's

    labels: Pixels
    low_res: Pixels
    train: Pixels


def choose_test_faces(dataset: Dataset, limit: int) -> TestFaces:
    """The first `limit` faces of the test split.

    Raises:
        DataError: The test split is empty.
    """
    labels = dataset.labels("test", limit)
    if len(labels) == 0:
        raise DataError(f"{dataset.source} has no test faces", "Prepare it again with a larger --holdout.")
    return TestFaces(labels, low_res_of(labels), dataset.labels("train", SYMPTOM_FACES))


def measure(state: TrainingState, faces: TestFaces) -> dict[str, float]:
    """Mean figures over the test faces of the 8-bit outputs, scaled to [0, 1].

    Generators of pictures: PSNR (dB), SSIM, L1 to the label and consistency with the input.
    Generators from noise: the diversity of as many faces as there are test faces. Both: the symptoms.
    """
    if state.experiment.generator.takes_noise:
        drawn = draw_faces(state, len(faces.labels))
        spread = diversity(drawn / 255)
        return {
            "diversity": spread.mean_pairwise_distance,
            "duplicates": spread.nearest_duplicate_rate,
            **symptoms(state, drawn, faces.train, faces.labels),
        }
    enlarged = enlarge(state, faces.low_res)
    outputs, labels = enlarged / 255, faces.labels / 255
    return {
        "psnr": float(psnr(outputs, labels).mean()),
        "ssim": float(ssim(outputs, labels).mean()),
        "l1_high": float(l1(outputs, labels).mean()),
        "consistency": float(consistency(outputs, faces.low_res / 255).mean()),
        **symptoms(state, enlarged, faces.train, faces.labels),
    }


def sample_grid(state: TrainingState, faces: TestFaces) -> Pixels:
    """A row each of inputs, bicubic, outputs and labels; from noise, a square of faces."""
    if state.experiment.generator.takes_noise:
        drawn = draw_faces(state, SAMPLE_FACES**2)
        return grid(
            [list(drawn[start : start + SAMPLE_FACES]) for start in range(0, len(drawn), SAMPLE_FACES)]
        )
    low_res, labels = faces.low_res[:SAMPLE_FACES], faces.labels[:SAMPLE_FACES]
    rows = [enlarge_nearest(low_res), enlarge_bicubic(low_res), enlarge(state, low_res), labels]
    return grid([list(row) for row in rows])


def enlarge(state: TrainingState, low_res: Pixels) -> Pixels:
    """The generator's 8-bit outputs (N, 64, 64, 3) for 8-bit inputs (N, 16, 16, 3)."""
    return _run(state, torch.from_numpy(to_network(low_res)))


def draw_faces(state: TrainingState, count: int) -> Pixels:
    """Faces (count, 64, 64, 3) from noise that stays the same through a run."""
    random = random_for(state.experiment.training.seed, SAMPLE_DRAW)
    return _run(state, draw_noise(count, random, torch.device("cpu")))


@torch.no_grad()
def _run(state: TrainingState, inputs: torch.Tensor) -> Pixels:
    network = state.best_generator
    was_training = network.training
    network.eval()
    with state.autocast():
        outputs: list[NDArray[np.float32]] = [
            network(part.to(state.device)).float().cpu().numpy() for part in inputs.split(BATCH)
        ]
    network.train(was_training)
    return from_network(np.concatenate(outputs))
