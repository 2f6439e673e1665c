"""One step of training: the critic's updates, then the generator's."""

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from srcli.data.batches import Batch, TrainingBatches
from srcli.errors import DivergedError
from srcli.objectives import Loss, Pixel
from srcli.training.batch_norm import batches_apart
from srcli.training.state import TrainingState, draw_noise, frozen, random_for

NOISE_DRAW, OBJECTIVE_DRAW, INPUT_NOISE_DRAW = 0, 1, 3  # 2 draws the sampled faces
TOGETHER = 8

Terms = dict[str, float]


def train_step(state: TrainingState, batches: TrainingBatches) -> Terms:
    """Trains for one generator update and returns its terms; `state.step` counts it.

    Every critic update sees a new batch. All are enlarged before the first update, and the generator's update
    uses the last one's output: only the critic changes in between.

    Raises:
        DivergedError: A term is not finite; the networks are as they were before that update.
    """
    state.set_learning_rates()
    n_critic = state.experiment.objective.n_critic
    draws = max(n_critic, 1)  # without a critic, a step is one batch
    first = state.step * draws
    for numbers in _in_groups(range(first, first + draws)):
        drawn = batches.batches(numbers, state.device)
        fakes = _generate(state, drawn, numbers, is_end=numbers.stop == first + draws)
        for number, batch, fake in zip(numbers, drawn, fakes, strict=True):
            critic_terms = _update_critic(state, batch.high_res, fake.detach(), number) if n_critic else {}
    generator_terms = _update_generator(state, fake, batch)
    state.update_average()
    state.step += 1
    return {**critic_terms, **generator_terms}


def _in_groups(numbers: range) -> Iterator[range]:
    """The numbers of batches that are made and enlarged together; any n_critic fits the memory."""
    for start in range(0, len(numbers), TOGETHER):
        yield numbers[start : start + TOGETHER]


def _generate(state: TrainingState, drawn: list[Batch], numbers: range, *, is_end: bool) -> list[Tensor]:
    """The generator's output for each batch; at the end of a step that of the last one has its gradients."""
    inputs = [_input(state, batch, number) for batch, number in zip(drawn, numbers, strict=True)]
    fakes: list[Tensor] = []
    if before := inputs[:-1] if is_end else inputs:
        size = len(before[0])
        with torch.no_grad(), state.autocast(), batches_apart(state.generator, size):
            fakes += state.generator(torch.cat(before)).float().split(size)
    if is_end:
        with state.autocast():
            fakes.append(state.generator(inputs[-1]).float())
    return fakes


def _input(state: TrainingState, batch: Batch, number: int) -> Tensor:
    """What the generator is given: noise, or the batch's inputs, to which an experiment may add noise."""
    settings = state.experiment.training
    rows = state.replicas.share.rows(settings.batch_size)
    if state.experiment.sizes.takes_noise:
        noise = draw_noise(state, settings.batch_size, random_for(settings.seed, NOISE_DRAW, number))
        return noise[rows]
    deviation = 2 * state.experiment.augmentation.input_noise  # of [-1, 1], which is twice as wide as [0, 1]
    if deviation == 0:
        return batch.inputs
    shape = (settings.batch_size, *batch.inputs.shape[1:])
    noise = torch.randn(shape, generator=random_for(settings.seed, INPUT_NOISE_DRAW, number))
    return batch.inputs + deviation * noise[rows].to(batch.inputs)


def _update_critic(state: TrainingState, real: Tensor, fake: Tensor, number: int) -> Terms:
    objective, optimizer = state.experiment.objective, state.critic_optimizer
    assert optimizer is not None
    assert not isinstance(objective, Pixel)
    settings = state.experiment.training
    random = random_for(settings.seed, OBJECTIVE_DRAW, number)
    places = torch.rand(settings.batch_size, generator=random)
    with state.autocast():
        loss = objective.critic_loss(
            state.critic, real, fake, places[state.replicas.share.rows(settings.batch_size)]
        )
    terms = _finite_terms("critic_loss", loss, state)
    optimizer.zero_grad()
    loss.total.backward()
    state.replicas.average_gradients(state.critic)
    optimizer.step()
    objective.after_critic_step(state.critic)
    return terms


def _update_generator(state: TrainingState, fake: Tensor, batch: Batch) -> Terms:
    references = None if state.experiment.sizes.takes_noise else batch
    with frozen(state.critic), state.autocast():
        loss = state.experiment.objective.generator_loss(state.critic, fake, references)
    terms = _finite_terms("generator_loss", loss, state)
    state.generator_optimizer.zero_grad()
    loss.total.backward()
    state.replicas.average_gradients(state.generator)
    state.generator_optimizer.step()
    return terms


def _finite_terms(name: str, loss: Loss, state: TrainingState) -> Terms:
    """The terms of the whole batch, the same on all ranks, so that a broken one ends all of them."""
    parts: Mapping[str, Tensor] = {name: loss.total, **loss.parts}
    terms = state.replicas.average_terms(parts)
    broken = [part for part in loss.parts if not math.isfinite(terms[part])]
    if not math.isfinite(terms[name]):
        broken = broken or [name]
    if broken:
        raise DivergedError(
            f"training diverged at step {state.step + 1}: {broken[0]} is {terms[broken[0]]}",
            "The last good checkpoint is kept; a lower optimizer.learning_rate may help.",
        )
    return terms
