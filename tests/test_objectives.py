"""The terms of every objective against values computed by hand."""

import math

import pytest
import torch
from torch import nn

from srcli.data.batches import Batch, downscale
from srcli.objectives import (
    Gan,
    Pixel,
    Wgan,
    WganGp,
    clip_weights,
    interpolate,
    slopes_at,
    squared_slope_error,
)

REAL, FAKE = torch.full((2, 3, 8, 8), 0.5), torch.full((2, 3, 8, 8), -0.25)

BATCH = Batch(high_res=REAL, low_res=torch.zeros(2, 3, 2, 2), inputs=torch.zeros(2, 3, 2, 2))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def epsilon(count: int = len(REAL)) -> torch.Tensor:
    return torch.rand(count, generator=seeded())


def mean_score(images: torch.Tensor) -> torch.Tensor:
    return 2 * images.mean((1, 2, 3))  # 1 for REAL, -0.5 for FAKE


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_gan_critic_loss_is_the_cross_entropy_of_equation_2() -> None:
    loss = Gan(name="gan", gamma=0.9).critic_loss(mean_score, REAL, FAKE, epsilon())
    assert loss.terms["critic_real"].item() == pytest.approx(-math.log(sigmoid(1)), abs=1e-6)
    assert loss.terms["critic_fake"].item() == pytest.approx(-math.log(1 - sigmoid(-0.5)), abs=1e-6)
    assert loss.total.item() == pytest.approx(-math.log(sigmoid(1)) - math.log(1 - sigmoid(-0.5)), abs=1e-6)
    assert loss.terms["wasserstein"].item() == pytest.approx(1.5, abs=1e-6)


def test_gan_generator_loss_is_the_non_saturating_one_of_equation_4() -> None:
    loss = Gan(name="gan", gamma=0.0).generator_loss(mean_score, FAKE, BATCH)
    assert loss.total.item() == pytest.approx(-math.log(sigmoid(-0.5)), abs=1e-6)


def test_gan_losses_stay_finite_for_scores_whose_sigmoid_underflows() -> None:
    loss = Gan(name="gan", gamma=0.9).critic_loss(lambda x: -1000 * mean_score(x), REAL, FAKE, epsilon())
    assert loss.total.item() == pytest.approx(1000 + 500)


def test_wgan_losses_are_differences_of_mean_scores_of_equation_5() -> None:
    objective = Wgan(name="wgan", gamma=0.0)
    critic = objective.critic_loss(mean_score, REAL, FAKE, epsilon())
    assert critic.total.item() == pytest.approx(-1.5, abs=1e-6)
    assert critic.terms["wasserstein"].item() == pytest.approx(1.5, abs=1e-6)
    generator = objective.generator_loss(mean_score, FAKE, BATCH)
    assert generator.total.item() == pytest.approx(0.5, abs=1e-6)


def test_wgan_clips_every_weight_of_the_critic_after_its_step() -> None:
    critic = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    with torch.no_grad():
        critic[0].weight.copy_(torch.linspace(-1, 1, 16).view(4, 4))
    Wgan(name="wgan", gamma=0.9, clip_value=0.01).after_critic_step(critic)
    expected = torch.linspace(-1, 1, 16).clamp(-0.01, 0.01).view(4, 4)
    assert torch.equal(critic[0].weight, expected)
    assert critic[1].weight.max().item() == pytest.approx(0.01)


def test_clipping_leaves_small_weights_as_they_are() -> None:
    layer = nn.Linear(3, 1)
    with torch.no_grad():
        layer.weight.fill_(0.005)
    clip_weights(layer, 0.01)
    assert torch.equal(layer.weight, torch.full((1, 3), 0.005))


@pytest.mark.parametrize("slope", [0.0, 0.5, 3.0])
def test_gradient_penalty_of_a_linear_critic_is_its_slope_minus_one_squared(slope: float) -> None:
    weights = torch.randn(3, 4, 4, generator=seeded())
    weights *= slope / weights.norm()

    def critic(images: torch.Tensor) -> torch.Tensor:
        return (images * weights).sum((1, 2, 3))

    penalty = squared_slope_error(slopes_at(critic, torch.randn(5, 3, 4, 4, generator=seeded())))
    assert penalty.item() == pytest.approx((slope - 1) ** 2, abs=1e-5)


def test_gradient_penalty_of_a_quadratic_critic_uses_each_samples_own_gradient() -> None:
    # D(x) = |x|^2 / 2 has the gradient x, so the penalty is the mean of (|x| - 1)^2.
    points = torch.stack([torch.full((3, 2, 2), value) for value in (0.1, 0.5, -2.0)])
    norms = [abs(value) * math.sqrt(12) for value in (0.1, 0.5, -2.0)]
    penalty = squared_slope_error(slopes_at(lambda x: x.square().sum((1, 2, 3)) / 2, points))
    assert penalty.item() == pytest.approx(sum((norm - 1) ** 2 for norm in norms) / 3, rel=1e-6)


def test_gradient_penalty_moves_a_critics_weights_towards_slope_one() -> None:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)  # slope 5: d(5 - 1)^2 / dw = 2 * 4 * w / 5
    squared_slope_error(slopes_at(lambda x: x.flatten(1) @ weight, torch.zeros(2, 2, 1, 1))).backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == pytest.approx([2 * 4 * 3 / 5, 2 * 4 * 4 / 5])


def test_wgan_gp_adds_ten_times_the_penalty_of_equation_6() -> None:
    # mean_score has a slope of 2 / sqrt(192) everywhere.
    penalty = (2 / math.sqrt(192) - 1) ** 2
    loss = WganGp(name="wgan-gp", gamma=0.9).critic_loss(mean_score, REAL, FAKE, epsilon())
    assert loss.terms["gradient_penalty"].item() == pytest.approx(penalty, abs=1e-6)
    assert loss.total.item() == pytest.approx(-1.5 + 10 * penalty, abs=1e-5)


def test_interpolated_points_lie_on_the_segments_with_one_draw_a_sample() -> None:
    real, fake = torch.ones(6, 3, 4, 4), torch.zeros(6, 3, 4, 4)
    points = interpolate(real, fake, epsilon(len(real)))
    shares = points[:, 0, 0, 0]
    assert torch.equal(points, shares.view(6, 1, 1, 1).expand_as(points))
    assert len(set(shares.tolist())) == 6
    assert 0 <= shares.min() < shares.max() <= 1


def test_generator_total_mixes_both_terms_as_equation_7_does() -> None:
    # The area average of FAKE is -0.25 everywhere, the inputs are 0.
    loss = Wgan(name="wgan", gamma=0.9).generator_loss(mean_score, FAKE, BATCH)
    assert loss.terms["adversarial"].item() == pytest.approx(0.5)
    assert loss.terms["l1"].item() == pytest.approx(0.25)
    assert loss.total.item() == pytest.approx(0.1 * 0.5 + 0.9 * 0.25)


def test_a_pixel_weight_adds_the_distance_to_the_label() -> None:
    loss = Wgan(name="wgan", gamma=0.9, pixel_weight=2.0).generator_loss(mean_score, FAKE, BATCH)
    assert loss.terms["pixel_l1"].item() == pytest.approx(0.75)
    assert loss.total.item() == pytest.approx(0.1 * 0.5 + 0.9 * 0.25 + 2 * 0.75)


def test_the_pixel_objective_puts_the_label_in_the_adversarys_place() -> None:
    loss = Pixel(name="pixel", gamma=0.2).generator_loss(mean_score, FAKE, BATCH)
    assert {name: part.item() for name, part in loss.terms.items()} == {"pixel_l1": 0.75, "l1": 0.25}
    assert loss.total.item() == pytest.approx(0.8 * 0.75 + 0.2 * 0.25)


def test_generators_from_noise_have_no_l1_term() -> None:
    loss = Wgan(name="wgan", gamma=0.0).generator_loss(mean_score, FAKE, None)
    assert set(loss.terms) == {"adversarial"}
    assert loss.total.item() == pytest.approx(0.5)


def test_downscaling_is_the_mean_of_four_by_four_blocks() -> None:
    images = torch.arange(64.0).view(1, 1, 8, 8)
    # The mean of a block is the mean of its corners: (0 + 27) / 2, four more to the right, 32 more below.
    assert downscale(images, 4)[0, 0].tolist() == [[13.5, 17.5], [45.5, 49.5]]


def test_slopes_over_unit_values_are_twice_as_steep() -> None:
    weight = torch.full((3 * 8 * 8,), 1 / math.sqrt(3 * 8 * 8))  # slope 1 over [-1, 1]

    def linear(images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ weight

    penalties = {}
    for span in (1, 2):
        objective = WganGp(name="wgan-gp", gamma=0.9, value_range=span)
        penalties[span] = (
            objective.critic_loss(linear, REAL, FAKE, epsilon()).terms["gradient_penalty"].item()
        )
    assert penalties == pytest.approx({1: (2 - 1) ** 2, 2: 0.0}, abs=1e-5)


def test_l1_over_unit_values_weighs_half_and_is_logged_as_ever() -> None:
    loss = Wgan(name="wgan", gamma=0.9, value_range=1).generator_loss(mean_score, FAKE, BATCH)
    assert loss.terms["l1"].item() == pytest.approx(0.25, abs=1e-6)
    assert loss.total.item() == pytest.approx(0.1 * 0.5 + 0.9 * 0.25 / 2, abs=1e-6)
