"""The studies' measures against independent computations."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy
from torch import nn

from srcli.models.layers import Scores
from srcli.objectives import WganGp
from srcli.reproduction.intervals import geometric_interval, student_interval
from srcli.reproduction.studies.clipping import gradients_by_layer, value_surface
from srcli.reproduction.studies.distances import between_lines, line
from srcli.reproduction.studies.networks import build_critic, random_source
from srcli.reproduction.studies.optimality import gradient_norm
from srcli.reproduction.studies.settings import Bound
from srcli.reproduction.studies.shapes import SHAPES, Mixture, SwissRoll
from srcli.reproduction.studies.study import regression
from srcli.reproduction.studies.training import saturating_loss
from srcli.reproduction.studies.transport import exact_em
from srcli.reproduction.verdicts import Estimate, Verdict


@pytest.mark.parametrize("theta", [-1.0, -0.3, 0.5])
def test_distances_between_disjoint_lines_are_those_of_histograms_and_samples(theta: float) -> None:
    exact = between_lines(theta)
    first, second = np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.0, 0.0, 0.5, 0.5])
    assert exact.js == pytest.approx(jensenshannon(first, second) ** 2)
    assert exact.kl == entropy(first, second) == math.inf
    assert exact.tv == pytest.approx(np.abs(first - second).sum() / 2)
    points = [line(at)(50, random_source(0)) for at in (0.0, theta)]  # the same Z: nothing else to carry
    assert exact.em == pytest.approx(exact_em(*points), abs=1e-6)


def test_a_line_has_no_distance_from_itself() -> None:
    assert between_lines(0.0) == (0, 0, 0, 0)


def test_a_line_lies_where_it_should() -> None:
    points = line(0.25)(1000, random_source(0))
    assert points[:, 0].tolist() == [0.25] * 1000
    assert 0 <= float(points[:, 1].min()) < 0.02 < 0.98 < float(points[:, 1].max()) <= 1


def test_exact_em_of_a_shifted_cloud_is_the_shift() -> None:
    cloud = torch.randn(200, 2, generator=random_source(0))
    order = torch.randperm(200, generator=random_source(1))
    assert exact_em(cloud, cloud[order] + torch.tensor([3.0, -4.0])) == pytest.approx(5, abs=1e-5)


def test_exact_em_is_the_best_of_all_assignments() -> None:
    first, second = (torch.randn(6, 3, generator=random_source(seed)).double() for seed in (0, 1))
    costs = torch.cdist(first, second)
    best = min(float(costs[range(6), order].mean()) for order in itertools.permutations(range(6)))
    assert exact_em(first, second) == pytest.approx(best)


def test_a_collapsed_sampler_covers_one_mode_of_25_with_good_samples_only() -> None:
    grid = SHAPES["25-gaussians"]()
    assert isinstance(grid, Mixture)
    assert grid.coverage(grid.centres[7].expand(2500, 2), 1, 3.0) == (1, 1.0)


@pytest.mark.parametrize(("name", "modes"), [("8-gaussians", 8), ("25-gaussians", 25)])
def test_a_perfect_sampler_covers_all_modes_and_has_98_9_percent_good_samples(name: str, modes: int) -> None:
    mixture = SHAPES[name]()  # type: ignore[index]
    covered, good_share = mixture.coverage(mixture.sample(100_000, random_source(0)), 3000, 3.0)
    assert covered == mixture.parts == modes
    assert good_share == pytest.approx(1 - math.exp(-9 / 2), abs=0.002)


def test_a_mode_counts_from_enough_good_samples_on() -> None:
    mixture = Mixture("two", torch.tensor([[0.0, 0.0], [10.0, 0.0]]), 1.0)
    samples = torch.tensor([[0.0, 2.9], [0.0, -2.9], [10.0, 0.0], [10.0, 3.1], [5.1, 0.0]])
    assert mixture.coverage(samples, 1, 3.0) == (2, pytest.approx(0.6))
    assert mixture.coverage(samples, 2, 3.0) == (1, pytest.approx(0.6))
    assert mixture.coverage(samples, 1, 3.2) == (2, pytest.approx(0.8))


def test_the_mixtures_have_the_customary_measures_over_their_deviation() -> None:
    ring, grid = SHAPES["8-gaussians"](), SHAPES["25-gaussians"]()
    assert isinstance(ring, Mixture)
    assert isinstance(grid, Mixture)
    assert (ring.centres.norm(dim=1) / ring.deviation).tolist() == pytest.approx([2 / 0.02] * 8, rel=1e-5)
    gaps = torch.cdist(grid.centres, grid.centres) + 99 * torch.eye(25)
    assert (gaps.min(dim=1).values / grid.deviation).tolist() == pytest.approx([2 / 0.05] * 25, rel=1e-5)
    for mixture in (ring, grid):
        samples = mixture.sample(20_000, random_source(0))
        assert samples.std(dim=0).tolist() == pytest.approx([1, 1], abs=0.02)


def test_the_swiss_roll_is_a_spiral_whose_pieces_are_equally_likely() -> None:
    roll = SwissRoll()
    samples = roll.sample(24_000, random_source(0))
    radius = 7.5 * samples.norm(dim=1)
    assert float(radius.min()) > 1.5 * math.pi - 1.2
    assert float(radius.max()) < 4.5 * math.pi + 1.2
    covered, good_share = roll.coverage(samples, 850, 3.0)  # of about 1,000 each
    assert covered == 24
    assert good_share == pytest.approx(0.997, abs=0.002)  # across a line: within 3 deviations of 1 dimension


def test_half_a_swiss_roll_covers_half_of_its_pieces() -> None:
    angle = math.pi * torch.linspace(1.5, 3.0, 2000)
    half = torch.stack((angle * angle.cos(), angle * angle.sin()), dim=1) / 7.5
    assert SwissRoll().coverage(half, 5, 3.0) == (12, 1.0)
    assert SwissRoll().coverage(half + 9, 1, 3.0) == (0, 0.0)


def test_the_saturating_loss_and_its_gradient_are_those_of_log_1_minus_d() -> None:
    fake = torch.tensor([[2.0], [-1.0]], requires_grad=True)
    loss = saturating_loss(Scores(nn.Identity()), fake)
    probabilities = [1 / (1 + math.exp(-2)), 1 / (1 + math.exp(1))]
    assert loss.item() == pytest.approx(sum(math.log(1 - p) for p in probabilities) / 2)
    (gradient,) = torch.autograd.grad(loss, fake)
    assert gradient.flatten().tolist() == pytest.approx([-p / 2 for p in probabilities])


def test_the_norm_of_a_gradient_is_taken_over_all_weights() -> None:
    layer = nn.Linear(2, 1)
    loss = 3 * layer(torch.tensor([[2.0, 0.0]])).sum()  # by the weights (6, 0), by the bias 3
    assert gradient_norm(loss, layer) == pytest.approx(math.sqrt(45))


def hand_made_critic() -> Scores:
    """2 x + 1, of points (x, y) with x > -1: one hidden unit."""
    critic = Scores(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
    with torch.no_grad():
        critic[0].weight.copy_(torch.tensor([[0.5, 0.0]]))
        critic[0].bias.fill_(0.5)
        critic[2].weight.fill_(4.0)
        critic[2].bias.fill_(-1.0)
    return critic


def test_gradients_by_layer_go_from_the_input_to_the_last_hidden_layer() -> None:
    assert gradients_by_layer(hand_made_critic(), torch.tensor([[0.0, 3.0]])) == pytest.approx([2.0, 4.0])


def test_a_value_surface_has_rows_along_y_and_columns_along_x() -> None:
    surface = value_surface(hand_made_critic(), 5, 2.0)
    assert surface == [[0, 0, 85, 170, 255]] * 5


def test_a_critic_s_penalty_is_the_same_as_by_automatic_differentiation() -> None:
    critic = build_critic(2, 16, 3, random_source(0))
    real, fake, epsilon = (torch.randn(9, 2, generator=random_source(s)) for s in (1, 2, 3))
    objective = WganGp(name="wgan-gp", gamma=0.0)
    own = objective.critic_loss(critic, real, fake, epsilon[:, 0].sigmoid())
    plain = objective.critic_loss(lambda points: critic(points), real, fake, epsilon[:, 0].sigmoid())
    assert own.total.item() == pytest.approx(plain.total.item(), rel=1e-5)


def test_the_student_interval_has_student_s_interval() -> None:
    assert student_interval([1.0, 3.0]) == pytest.approx((2, 2 - 12.7062, 2 + 12.7062), abs=1e-3)
    assert student_interval([0.5] * 10) == (0.5, 0.5, 0.5)


def test_the_geometric_interval_has_the_interval_of_the_logarithms() -> None:
    value, low, high = geometric_interval([0.01, 1.0])
    assert value == pytest.approx(0.1)
    assert math.log10(high / value) == pytest.approx(12.7062, abs=1e-3)
    assert low * high == pytest.approx(value**2)
    assert geometric_interval([0.0, 0.0]).value == pytest.approx(0.0, abs=1e-300)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.9, 1.1, Verdict.HOLDS),
        (0.8, 1.2, Verdict.HOLDS),
        (0.7, 1.0, Verdict.UNDECIDED),
        (0.5, 1.5, Verdict.UNDECIDED),
        (0.1, 0.7, Verdict.DOES_NOT_HOLD),
        (1.3, 1.4, Verdict.DOES_NOT_HOLD),
    ],
)
def test_a_verdict_needs_the_whole_interval(low: float, high: float, verdict: Verdict) -> None:
    estimate = Estimate((low + high) / 2, low, high)
    assert Bound(at_least=0.8, at_most=1.2).judge(estimate) is verdict


def test_a_bound_may_be_open_on_one_side() -> None:
    assert Bound(at_least=3.0).judge(Estimate(5, 4, 6)) is Verdict.HOLDS
    assert Bound(at_most=3.0).judge(Estimate(5, 4, 6)) is Verdict.DOES_NOT_HOLD
    assert [Bound(at_least=0.5).in_words(), Bound(at_most=2.0).in_words()] == ["at least 0.5", "at most 2"]
    assert Bound(at_least=0.5, at_most=2.0).in_words() == "between 0.5 and 2"
    with pytest.raises(ValueError, match="at_least, at_most or both"):
        Bound()


def test_a_regression_finds_the_line_that_it_was_given() -> None:
    x = [0.0, 1.0, 2.0, 5.0]
    assert regression(x, [3 - 2 * v for v in x]) == pytest.approx((-2, 1))
    assert regression(x, [7.0] * 4) == (0, 0)
    noisy = [0.1, 0.8, 2.5, 4.7]
    assert regression(x, noisy)[1] == pytest.approx(np.corrcoef(x, noisy)[0, 1] ** 2)
    assert regression(x, noisy)[0] == pytest.approx(np.polyfit(x, noisy, 1)[0])
