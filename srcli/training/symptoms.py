"""What an evaluation measures for run health: how outputs differ, how the critic scores real faces."""

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call

from srcli.data.batches import Batch
from srcli.metrics.table import measure_set
from srcli.pictures.pixels import Pixels, to_network
from srcli.training.state import TrainingState, frozen

SYMPTOM_FACES = 64
"""Few enough to cost hardly any time; their mean score is known to an eighth of its deviation."""


def symptoms(state: TrainingState, outputs: Pixels, train: Pixels, test: Pixels) -> dict[str, float]:
    """What the rules of `health` look at, by key, without values that are not finite.

    `spread` and `copies` are the metrics spread and duplicates of the first 64 faces. With a critic, the mean
    scores of training faces, test faces and outputs; `wasserstein_test`, the score of test faces less that of
    outputs (the critic's estimate on faces it was not trained on); and what the objective measures of its
    critic. A single face has no distance to another, nor a score under batch normalisation.

    Args:
        outputs: For the test faces, or from noise, (N, H, H, 3), as `train` and `test`.
    """
    outputs, train, test = outputs[:SYMPTOM_FACES], train[:SYMPTOM_FACES], test[:SYMPTOM_FACES]
    found = {}
    if min(len(outputs), len(test)) > 1:
        metrics = measure_set(outputs / 255, test / 255)
        found["spread"], found["copies"] = metrics["spread"], metrics["duplicates"]
    if state.critic is not None:
        if min(map(len, (outputs, train, test))) > 1:
            for name, faces in (("train", train), ("test", test), ("fake", outputs)):
                found[f"score_{name}"] = _mean_score(state, state.critic, faces)
            found["wasserstein_test"] = found["score_test"] - found["score_fake"]
        found.update(state.experiment.objective.critic_figures(state.critic))
    return {name: value for name, value in found.items() if math.isfinite(value)}


def adversary_share(state: TrainingState, low_res: Pixels, labels: Pixels) -> dict[str, float]:
    """`adversary_share`: `||(1 - gamma) dJ_G/dx|| / ||gamma dL1/dx||` at the outputs x for a few test faces.

    It says how much of what the generator learns comes from the adversary and how much from the L1 to the
    input (equation 7). Without either of them there is no share. Of the 8-bit inputs (N, h, h, 3) and labels
    (N, H, H, 3), those of the first batch are used.
    """
    objective, size = state.experiment.objective, state.experiment.training.batch_size
    if state.critic is None or objective.l1_weight == 0 or min(len(low_res), size) < 2:
        return {}
    averages = torch.from_numpy(to_network(low_res[:size])).to(state.device)
    batch = Batch(torch.from_numpy(to_network(labels[:size])).to(state.device), averages, averages)
    with state.autocast(), frozen(state.critic):
        with torch.no_grad():
            fake = with_copied_buffers(state.generator, batch.inputs).float()
        fake.requires_grad_(True)
        terms = objective.generator_loss(partial(with_copied_buffers, state.critic), fake, batch).terms
    (adversarial,) = torch.autograd.grad(terms["adversarial"], fake)
    (l1,) = torch.autograd.grad(terms["l1"], fake)
    share = ((1 - objective.gamma) * adversarial.norm() / (objective.l1_weight * l1.norm())).item()
    return {"adversary_share": share} if math.isfinite(share) else {}


def with_copied_buffers(network: nn.Module, inputs: Tensor) -> Tensor:
    """The network's output; in training mode, batch normalisation updates copies of its buffers."""
    buffers = {name: value.clone() for name, value in network.named_buffers()}
    outputs: Tensor = functional_call(network, buffers, (inputs,))
    return outputs


@torch.no_grad()
def _mean_score(state: TrainingState, critic: nn.Module, faces: Pixels) -> float:
    """The mean score of faces, as one batch in training mode; the critic is left as it is."""
    images = torch.from_numpy(to_network(faces)).to(state.device)
    with state.autocast():
        return with_copied_buffers(critic, images).double().mean().item()
