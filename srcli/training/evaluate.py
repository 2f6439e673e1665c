"""How good the generator is by now: figures on the test split and a grid of fixed test faces."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.func import functional_call

from srcli.data.dataset import Dataset
from srcli.data.task import PAPER, Task
from srcli.errors import DataError
from srcli.metrics.measures import consistency, diversity, l1, psnr, ssim
from srcli.pictures.pixels import Pixels, from_network, grid, to_network
from srcli.pictures.resize import enlarge_bicubic, enlarge_nearest
from srcli.training.state import TrainingState, draw_noise, random_for
from srcli.training.symptoms import SYMPTOM_FACES, adversary_share, symptoms

SAMPLE_FACES = 8
SAMPLE_DRAW = 2
BATCH = 50

Statistics = Literal["running", "batch"]
TOLD_FOR_BOTH = ("psnr", "consistency", "diversity", "duplicates")


@dataclass(frozen=True)
class TestFaces:
    """The labels (N, H, H, 3) that a run is measured on and their 8-bit inputs (N, h, h, 3).

    Attributes:
        train: Training faces (n, H, H, 3) beside which the critic's scores of the labels are looked at.
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


def measure(state: TrainingState, faces: TestFaces) -> dict[str, float]:
    """Mean figures over the test faces of the 8-bit outputs, scaled to [0, 1].

    Generators of pictures: PSNR (dB), SSIM, L1 to the label and consistency with the input. Generators from
    noise: the diversity of as many faces as there are test faces. Both: the symptoms and the adversary's
    share. Generators with batch normalisation: the figures of `TOLD_FOR_BOTH` also with either kind of
    statistics, as `psnr_running`, `psnr_batch` and so on.
    """
    wanted, takes_noise = state.experiment.training.batch_norm_at_test, state.experiment.sizes.takes_noise
    outputs, figures, both = {}, {}, dict[str, float]()
    for kind in _statistics(state):
        outputs[kind] = _draw_for(state, faces, kind)
        figures[kind] = (_describe_drawn if takes_noise else _describe_enlarged)(outputs[kind], faces)
        both |= {f"{name}_{kind}": figures[kind][name] for name in TOLD_FOR_BOTH if name in figures[kind]}
    return {
        **figures[wanted],
        **(both if len(figures) > 1 else {}),
        **symptoms(state, outputs[wanted], faces.train, faces.labels),
        **adversary_share(state, faces.low_res, faces.labels),
    }


def _statistics(state: TrainingState) -> list[Statistics]:
    """The kinds of statistics that give different outputs."""
    if state.experiment.generator.normalization == "batch":
        return ["running", "batch"]
    return [state.experiment.training.batch_norm_at_test]


def _draw_for(state: TrainingState, faces: TestFaces, statistics: Statistics) -> Pixels:
    """One output for every test face."""
    if state.experiment.sizes.takes_noise:
        return draw_faces(state, len(faces.labels), statistics)
    return enlarge(state, faces.low_res, statistics)


def _describe_enlarged(enlarged: Pixels, faces: TestFaces) -> dict[str, float]:
    outputs, labels = enlarged / 255, faces.labels / 255
    return {
        "psnr": float(psnr(outputs, labels).mean()),
        "ssim": float(ssim(outputs, labels).mean()),
        "l1_high": float(l1(outputs, labels).mean()),
        "consistency": float(consistency(outputs, faces.low_res / 255).mean()),
    }


def _describe_drawn(drawn: Pixels, _faces: TestFaces) -> dict[str, float]:
    spread = diversity(drawn / 255)
    return {"diversity": spread.mean_pairwise_distance, "duplicates": spread.nearest_duplicate_rate}


def sample_grid(state: TrainingState, faces: TestFaces) -> Pixels:
    """A row each of inputs, bicubic, outputs and labels; from noise, a square of faces."""
    statistics = state.experiment.training.batch_norm_at_test
    if state.experiment.sizes.takes_noise:
        drawn = draw_faces(state, SAMPLE_FACES**2, statistics)
        return grid(
            [list(drawn[start : start + SAMPLE_FACES]) for start in range(0, len(drawn), SAMPLE_FACES)]
        )
    low_res, labels = faces.low_res[:SAMPLE_FACES], faces.labels[:SAMPLE_FACES]
    outputs = enlarge(state, low_res, statistics)
    scale = state.experiment.task.scale
    rows = [enlarge_nearest(low_res, scale), enlarge_bicubic(low_res, scale), outputs, labels]
    return grid([list(row) for row in rows])


def enlarge(state: TrainingState, low_res: Pixels, statistics: Statistics) -> Pixels:
    """The generator's 8-bit outputs (N, H, H, 3) for 8-bit inputs (N, h, h, 3).

    Args:
        statistics: Those that batch normalisation uses: the running ones, or those of each batch of faces, as
            in training. A single face makes no batch; it gets the running ones.
    """
    return _run(state, torch.from_numpy(to_network(low_res)), statistics)


def draw_faces(state: TrainingState, count: int, statistics: Statistics) -> Pixels:
    """Faces (count, H, H, 3) from noise that stays the same through a run; statistics as for `enlarge`."""
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
    # In training mode, batch normalisation notes what it sees in copies of its buffers.
    buffers = {name: value.clone() for name, value in network.named_buffers()}
    with state.autocast():
        outputs: list[NDArray[np.float32]] = [
            functional_call(network, buffers, (part.to(state.device),)).float().cpu().numpy()
            for part in parts
        ]
    network.train(was_training)
    return from_network(np.concatenate(outputs))
