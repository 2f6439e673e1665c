"""One step of training: the critic's updates, then the generator's."""

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from srcli.data.batches import Batch, TrainingBatches
from srcli.errors import DivergedError
from srcli.objectives import Loss, Pixel
from srcli.training.state import TrainingState, draw_noise, frozen, random_for

NOISE_DRAW, OBJECTIVE_DRAW = 0, 1
DRAWN_TOGETHER = 8

Terms = dict[str, float]


def train_step(state: TrainingState, batches: TrainingBatches) -> Terms:
    """Trains for one generator update and returns its terms; `state.step` counts it.

    Every critic update sees a new batch. The generator's update uses the last one's output, which is
    still current: only the critic has changed since.

    Raises:
        DivergedError: A term is not finite; the networks are as they were before that update.
    """
    state.set_learning_rates()
    n_critic = state.experiment.objective.n_critic
    draws = max(n_critic, 1)  # without a critic, a step is one batch
    first = state.step * draws
    for number, batch in _draw(batches, range(first, first + draws), state.device):
        is_last = number == first + draws - 1
        fake = _generate(state, batch, number, with_gradients=is_last)
        critic_terms = _update_critic(state, batch.high_res, fake.detach(), number) if n_critic else {}
    generator_terms = _update_generator(state, fake, batch)
    state.update_average()
    state.step += 1
    return {**critic_terms, **generator_terms}


def _draw(batches: TrainingBatches, numbers: range, device: torch.device) -> Iterator[tuple[int, Batch]]:
    """The batches of the numbers, some at a time, so that any n_critic fits the memory."""
    for start in range(0, len(numbers), DRAWN_TOGETHER):
        some = numbers[start : start + DRAWN_TOGETHER]
        yield from zip(some, batches.batches(some, device), strict=True)


def _generate(state: TrainingState, batch: Batch, number: int, *, with_gradients: bool) -> Tensor:
    inputs = batch.low_res
    if state.experiment.generator.takes_noise:
        settings = state.experiment.training
        noise = draw_noise(settings.batch_size, random_for(settings.seed, NOISE_DRAW, number), state.device)
        inputs = noise[state.replicas.share.rows(settings.batch_size)]
    with torch.set_grad_enabled(with_gradients), state.autocast():
        fake: Tensor = state.generator(inputs)
    return fake.float()


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
    references = None if state.experiment.generator.takes_noise else batch
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
