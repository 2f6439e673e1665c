"""One step of training: the critic's updates, then the generator's."""

import math

import torch
from torch import Tensor, nn

from srcli.data.batches import Batch, TrainingBatches
from srcli.errors import DivergedError
from srcli.objectives import Loss
from srcli.training.batch_norm import batches_apart
from srcli.training.state import TrainingState, draw_noise, frozen, random_for

NOISE_DRAW, OBJECTIVE_DRAW, INPUT_NOISE_DRAW = 0, 1, 3  # 2 draws the sampled faces
BATCHES_PER_PASS = 8
"""How many batches are loaded and enlarged together, so that any n_critic fits the memory."""

Terms = dict[str, float]


def train_step(state: TrainingState, batches: TrainingBatches) -> Terms:
    """Trains for one generator update and returns its terms; `state.step` counts it.

    Every critic update sees a new batch. The batches of a pass are enlarged before its first update, and the
    generator's update uses the last one's output: only the critic changes in between.

    Raises:
        DivergedError: A term is not finite; the networks are as they were before that update.
    """
    state.set_learning_rates()
    count = max(state.experiment.objective.n_critic, 1)  # without a critic, a step takes one batch
    numbers = range(state.step * count, (state.step + 1) * count)
    for start in range(0, count, BATCHES_PER_PASS):
        chosen = numbers[start : start + BATCHES_PER_PASS]
        loaded = batches.batches(chosen, state.device)
        fakes = _generate(state, loaded, chosen, is_last_pass=chosen.stop == numbers.stop)
        for number, batch, fake in zip(chosen, loaded, fakes, strict=True):
            critic_terms = _update_critic(state, batch.high_res, fake.detach(), number)
    generator_terms = _update_generator(state, fake, batch)
    state.update_average()
    state.step += 1
    return {**critic_terms, **generator_terms}


def _generate(
    state: TrainingState, batches: list[Batch], numbers: range, *, is_last_pass: bool
) -> list[Tensor]:
    """The generator's output for each batch; in a step's last pass, that of the last batch has gradients."""
    inputs = [_input(state, batch, number) for batch, number in zip(batches, numbers, strict=True)]
    fakes: list[Tensor] = []
    if for_critic := inputs[:-1] if is_last_pass else inputs:
        size = len(for_critic[0])
        with torch.no_grad(), state.autocast(), batches_apart(state.generator, size):
            fakes += state.generator(torch.cat(for_critic)).float().split(size)
    if is_last_pass:
        with state.autocast():
            fakes.append(state.generator(inputs[-1]).float())
    return fakes


def _input(state: TrainingState, batch: Batch, number: int) -> Tensor:
    """What the generator is given: noise, or the batch's inputs, to which an experiment may add noise."""
    settings = state.experiment.training
    rows = state.replicas.share.rows(settings.batch_size)
    if state.experiment.sizes.takes_noise:
        return draw_noise(state, settings.batch_size, random_for(settings.seed, NOISE_DRAW, number))[rows]
    deviation = 2 * state.experiment.augmentation.input_noise  # of [-1, 1], which is twice as wide as [0, 1]
    if deviation == 0:
        return batch.inputs
    shape = (settings.batch_size, *batch.inputs.shape[1:])
    noise = torch.randn(shape, generator=random_for(settings.seed, INPUT_NOISE_DRAW, number))
    return batch.inputs + deviation * noise[rows].to(batch.inputs)


def _update_critic(state: TrainingState, real: Tensor, fake: Tensor, number: int) -> Terms:
    """One update of the critic, if the experiment has one."""
    critic, optimizer, settings = state.critic, state.critic_optimizer, state.experiment.training
    if critic is None or optimizer is None:
        return {}
    random = random_for(settings.seed, OBJECTIVE_DRAW, number)
    rows = state.replicas.share.rows(settings.batch_size)
    epsilon = torch.rand(settings.batch_size, generator=random)[rows]
    with state.autocast():
        loss = state.experiment.objective.critic_loss(critic, real, fake, epsilon)
    terms = _descend("critic_loss", loss, critic, optimizer, state)
    state.experiment.objective.after_critic_step(critic)
    return terms


def _update_generator(state: TrainingState, fake: Tensor, batch: Batch) -> Terms:
    references = None if state.experiment.sizes.takes_noise else batch
    with frozen(state.critic), state.autocast():
        loss = state.experiment.objective.generator_loss(state.critic, fake, references)
    return _descend("generator_loss", loss, state.generator, state.generator_optimizer, state)


def _descend(
    name: str, loss: Loss, network: nn.Module, optimizer: torch.optim.Optimizer, state: TrainingState
) -> Terms:
    """Updates a network, unless a term is not finite; the terms are those of the whole batch.

    They are the same on all ranks, so that a broken one ends all of them.
    """
    terms = state.replicas.average_terms({name: loss.total, **loss.terms})
    broken = [term for term in (*loss.terms, name) if not math.isfinite(terms[term])]
    if broken:
        raise DivergedError(
            f"training diverged at step {state.step + 1}: {broken[0]} is {terms[broken[0]]}",
            "The last good checkpoint is kept; a lower optimizer.learning_rate may help.",
        )
    optimizer.zero_grad()
    loss.total.backward()
    state.replicas.average_gradients(network)
    optimizer.step()
    return terms
