"""The optimisers and learning rates against independent computations."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from srcli.optimizers import Adam, RmsProp

TENSORFLOW = RmsProp(
    name="rmsprop", learning_rate=1e-2, epsilon=1e-10, epsilon_inside=True, initial_average=1.0
)


def quadratic_gradient(weight: np.ndarray, step: int) -> np.ndarray:
    return np.sin(3 * weight + step) + 0.5 * weight


def train(optimizer: torch.optim.Optimizer, weight: nn.Parameter, steps: range) -> None:
    for step in steps:
        weight.grad = torch.from_numpy(quadratic_gradient(weight.detach().numpy(), step))
        optimizer.step()


def start() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, 4))


@pytest.mark.parametrize(
    ("inside", "initial", "epsilon"), [(True, 1.0, 1e-10), (True, 0.0, 1e-3), (False, 1.0, 1e-3)]
)
def test_rmsprop_follows_its_formula_for_50_steps(inside: bool, initial: float, epsilon: float) -> None:
    settings = RmsProp(
        name="rmsprop",
        learning_rate=1e-2,
        epsilon=epsilon,
        epsilon_inside=inside,
        initial_average=initial,
    )
    ours = nn.Parameter(torch.from_numpy(start()))
    train(settings.build([ours]), ours, range(50))
    weight, average = start(), np.full((3, 4), initial)
    for step in range(50):
        gradient = quadratic_gradient(weight, step)
        average = 0.9 * average + 0.1 * gradient**2
        root = np.sqrt(average + epsilon) if inside else np.sqrt(average) + epsilon
        weight = weight - 1e-2 * gradient / root
    np.testing.assert_allclose(ours.detach().numpy(), weight, rtol=1e-10)


def test_the_first_step_of_tensorflows_rmsprop_is_smaller_than_torchs() -> None:
    moved = {}
    for settings in (TENSORFLOW, RmsProp(name="rmsprop", learning_rate=1e-2)):
        weight = nn.Parameter(torch.zeros(1))
        weight.grad = torch.full((1,), 0.1)
        settings.build([weight]).step()
        moved[settings.epsilon_inside] = -weight.item()
    # 0.01 * 0.1 / sqrt(0.9 + 0.001) against 0.01 * 0.1 / sqrt(0.001)
    assert moved[True] == pytest.approx(1e-3 / np.sqrt(0.901), rel=1e-5)
    assert moved[False] == pytest.approx(1e-3 / np.sqrt(0.001), rel=1e-5)


def test_halving_halves_the_rate_after_each_half_life() -> None:
    settings = Adam(name="adam", learning_rate=2e-4, beta1=0.5, beta2=0.9, schedule="halving", half_life=5000)
    rates = [settings.rate(step, 20000) for step in (0, 4999, 5000, 9999, 10000)]
    assert rates == pytest.approx([2e-4, 2e-4, 1e-4, 1e-4, 5e-5])


@pytest.mark.parametrize("changes", [{"schedule": "halving"}, {"half_life": 5}])
def test_a_half_life_without_its_schedule_is_a_mistake(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="half_life"):
        RmsProp.model_validate({"name": "rmsprop", "learning_rate": 1e-4, **changes})
