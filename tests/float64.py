"""Training in double precision, where rounding stays far below the tolerance of tests.

In single precision it does not: the losses of a first step differ by up to 4 in 1,000 between
CPUs, if rounding moves a value across the kink of a ReLU, and Adam turns the rounding of
gradients near zero into full steps.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

import torch
from tiny_experiments import small_dataset, small_experiment
from torch.nn import functional as F

from srcli.data.batches import Batch, TrainingBatches
from srcli.data.task import PAPER
from srcli.experiment.schema import Experiment
from srcli.training.loop import training_batches
from srcli.training.state import TrainingState


@contextmanager
def in_float64() -> Iterator[None]:
    """Makes new networks, noise and losses double precision within a block."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
            yield
    finally:
        torch.set_default_dtype(before)


def exact_experiment(case: str) -> Experiment:
    """The small experiment of a case, "objective generator", without colour changes."""
    experiment = small_experiment(*case.split())
    plain = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0}
    return experiment.model_copy(update={"augmentation": experiment.augmentation.model_copy(update=plain)})


@dataclass(frozen=True)
class ExactBatches:
    """Batches without colour changes, rounded back to 8 bits, in double precision."""

    batches_in_single: TrainingBatches

    def batches(self, numbers: range, device: torch.device) -> list[Batch]:
        """The batches of these numbers."""
        return [_exact(batch) for batch in self.batches_in_single.batches(numbers, device)]


def _exact(batch: Batch) -> Batch:
    pixels = batch.high_res.double().add(1).mul(127.5).round()
    high_res = pixels / 127.5 - 1
    low_res = F.avg_pool2d(high_res, PAPER.scale)
    return Batch(high_res, low_res, low_res)


def exact_batches(state: TrainingState) -> ExactBatches:
    """The batches of drawn faces on which a state trains in double precision."""
    return ExactBatches(training_batches(state, small_dataset()))
