"""What an evaluation measures for run health: how outputs differ, and what the critic says of real faces."""

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call

from srcli.data.batches import Batch
from srcli.metrics.measures import diversity
from srcli.pictures.pixels import Pixels, to_network
from srcli.training.state import TrainingState, frozen

SYMPTOM_FACES = 64
"""So few that a run does not notice; the mean score of so many is sure to an eighth of their deviation."""


def symptoms(state: TrainingState, outputs: Pixels, train: Pixels, test: Pixels) -> dict[str, float]:
    """Figures for the rules of `health`; those that are no numbers are left out.

    `spread` is the mean distance of two outputs over that of two test faces, `copies` the share of outputs
    that have a near copy among the others; with a critic, the mean scores of training faces, held-out test
    faces and outputs, `wasserstein_test`, the second less the third (the critic's estimate on faces that it
    was not trained on), and what the objective measures of its critic. One face alone has no distance to
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
    if state.critic is not None:
        if min(map(len, (outputs, train, test))) > 1:
            figures["score_train"] = _mean_score(state, state.critic, train)
            figures["score_test"] = _mean_score(state, state.critic, test)
            figures["score_fake"] = _mean_score(state, state.critic, outputs)
            figures["wasserstein_test"] = figures["score_test"] - figures["score_fake"]
        figures.update(state.experiment.objective.critic_figures(state.critic))
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def adversary_share(state: TrainingState, low_res: Pixels, labels: Pixels) -> dict[str, float]:
    """`adversary_share`: `||(1 - gamma) dJ_G/dx|| / ||gamma dL1/dx||` at the outputs x for a few test faces.

    It says how much of what the generator learns comes from the adversary and how much from the input's L1
    (equation 7). There is none where one of the two is missing.

    Args:
        low_res: 8-bit inputs (N, 16, 16, 3); those of the first batch are used.
        labels: (N, 64, 64, 3).
    """
    objective, size = state.experiment.objective, state.experiment.training.batch_size
    if state.critic is None or objective.l1_weight == 0 or min(len(low_res), size) < 2:
        return {}
    averages = torch.from_numpy(to_network(low_res[:size])).to(state.device)
    batch = Batch(torch.from_numpy(to_network(labels[:size])).to(state.device), averages, averages)
    with state.autocast(), frozen(state.critic):
        with torch.no_grad():
            fake = _with_copied_buffers(state.generator, batch.inputs).float()
        fake.requires_grad_(True)
        terms = objective.generator_loss(partial(_with_copied_buffers, state.critic), fake, batch).terms
    (adversarial,) = torch.autograd.grad(terms["adversarial"], fake)
    (l1,) = torch.autograd.grad(terms["l1"], fake)
    share = ((1 - objective.gamma) * adversarial.norm() / (objective.l1_weight * l1.norm())).item()
    return {"adversary_share": share} if math.isfinite(share) else {}


def _with_copied_buffers(network: nn.Module, inputs: Tensor) -> Tensor:
    """The network's output; batch normalisation notes what it sees in copies of its buffers."""
    buffers = {name: value.clone() for name, value in network.named_buffers()}
    outputs: Tensor = functional_call(network, buffers, (inputs,))
    return outputs


@torch.no_grad()
def _mean_score(state: TrainingState, critic: nn.Module, faces: Pixels) -> float:
    """The mean score of faces, judged as in training: among themselves; the critic stays as it is."""
    images = torch.from_numpy(to_network(faces)).to(state.device)
    with state.autocast():
        scores = _with_copied_buffers(critic, images)
    return scores.double().mean().item()
