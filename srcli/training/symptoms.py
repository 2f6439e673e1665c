"""What an evaluation measures for run health: how outputs differ, and what the critic says of real faces."""

import math

import torch
from torch import Tensor
from torch.func import functional_call

from srcli.data.images import Pixels, to_network
from srcli.metrics import diversity
from srcli.training.state import TrainingState

SYMPTOM_FACES = 64
"""So few that a run does not notice; the mean score of so many is sure to an eighth of their deviation."""


def symptoms(state: TrainingState, outputs: Pixels, train: Pixels, test: Pixels) -> dict[str, float]:
    """Figures for the rules of `health`; those that are no numbers are left out.

    `spread` is the mean distance of two outputs over that of two test faces, `copies` the share of outputs
    that have a near copy among the others; with a critic, the mean scores of training faces, held-out test
    faces and outputs, and what the objective measures of its critic. One face alone has no distance to
    another, nor a score where batch normalisation takes statistics.

    Args:
        outputs: For the test faces, or from noise, (N, 64, 64, 3), as `train` and `test`.
    """
    outputs, train, test = outputs[:SYMPTOM_FACES], train[:SYMPTOM_FACES], test[:SYMPTOM_FACES]
    figures = {}
    if min(len(outputs), len(test)) > 1:
        ours, theirs = diversity(outputs / 255), diversity(test / 255)
        figures["spread"] = ours.mean_pairwise_distance / max(theirs.mean_pairwise_distance, 1 / 255)
        figures["copies"] = ours.nearest_duplicate_rate
    if state.experiment.objective.n_critic and min(map(len, (outputs, train, test))) > 1:
        figures["score_train"] = _mean_score(state, train)
        figures["score_test"] = _mean_score(state, test)
        figures["score_fake"] = _mean_score(state, outputs)
    figures.update(state.experiment.objective.critic_figures(state.critic))
    return {name: value for name, value in figures.items() if math.isfinite(value)}


@torch.no_grad()
def _mean_score(state: TrainingState, faces: Pixels) -> float:
    """The mean score of faces, judged as in training: among themselves; the critic stays as it is."""
    # Batch normalisation takes the batch's own statistics, and notes them in copies of its buffers.
    buffers = {name: value.clone() for name, value in state.critic.named_buffers()}
    images = torch.from_numpy(to_network(faces)).to(state.device)
    with state.autocast():
        scores: Tensor = functional_call(state.critic, buffers, (images,))
    return scores.double().mean().item()
