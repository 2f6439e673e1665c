"""Each statistic finds the known properties of made-up runs: following, drifting, collapsed."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import KDTree

from srcli.reproduction.coverage import (
    coarse_features,
    face_coverage,
    recall,
    standardised,
)
from srcli.reproduction.intervals import (
    crossed_bootstrap,
    faces_interval,
    paired_differences,
    seeds_interval,
    student_interval,
    wilson,
)
from srcli.reproduction.series import (
    block_means,
    default_block,
    follows,
    mann_kendall,
    sign_changes,
    spearman,
)
from srcli.reproduction.verdicts import Estimate

Values = NDArray[np.float64]


def covers(estimate: Estimate, value: float) -> bool:
    return estimate.low <= value <= estimate.high


def width(estimate: Estimate) -> float:
    return estimate.high - estimate.low


def correlated(generator: np.random.Generator, count: int, rho: float) -> tuple[Values, Values]:
    """Two series of independent normal values whose Pearson correlation is rho."""
    first, other = generator.normal(size=(2, count))
    return first, rho * first + math.sqrt(1 - rho**2) * other


def autoregressive(innovations: Values, phi: float) -> Values:
    values = np.empty_like(innovations)
    values[0] = innovations[0] / math.sqrt(1 - phi**2)  # stationary from the start
    for i in range(1, len(values)):
        values[i] = phi * values[i - 1] + innovations[i]
    return values


# Spearman


def test_spearman_agrees_with_scipy_with_and_without_ties() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(2, 40))
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    x, y = np.round(x), np.round(x + y)
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)


def test_spearman_sees_order_only() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0, np.inf])
    assert spearman(x, np.exp(-np.arange(5.0))) == pytest.approx(-1)
    assert spearman(x[:4], np.array([1.0, 3.0, 2.0, 4.0])) == pytest.approx(0.8)  # 1 - 6 * 2 / (4 * 15)


def test_spearman_of_what_has_no_order_is_nan() -> None:
    assert math.isnan(spearman(np.ones(9), np.arange(9.0)))
    assert math.isnan(spearman(np.array([1.0, math.nan, 3.0]), np.arange(3.0)))
    assert math.isnan(spearman(np.ones(1), np.ones(1)))


def test_curves_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        spearman(np.arange(4.0), np.arange(5.0))


# Whether one curve follows another


def test_default_block_is_the_cube_root_rounded_up() -> None:
    assert [default_block(count) for count in (1, 8, 9, 27, 28, 64, 125, 1000)] == [2, 2, 3, 3, 4, 4, 5, 10]


def test_a_curve_that_follows_is_found_by_its_differences() -> None:
    steps = correlated(np.random.default_rng(1), 60, rho=-0.9)
    found = follows(np.cumsum(steps[0]), np.cumsum(steps[1]))
    assert found.differences.value == pytest.approx(stats.spearmanr(steps[0][1:], steps[1][1:]).statistic)
    assert -1 <= found.differences.low < found.differences.value < found.differences.high < -0.7
    assert found.levels.high < 0


def test_equal_curves_have_equal_intervals_and_the_seed_changes_them() -> None:
    x, y = correlated(np.random.default_rng(2), 30, rho=0.5)
    assert follows(x, y, resamples=200) == follows(x, y, resamples=200)
    assert follows(x, y, resamples=200) != follows(x, y, resamples=200, seed=1)
    # An order is all that counts, and the sign of a curve is the sign of what is found.
    mirrored = follows(-x, y, resamples=200).levels
    assert mirrored.value == pytest.approx(-follows(x, y, resamples=200).levels.value)


def test_independent_random_walks_are_taken_for_related_by_levels_but_not_by_differences() -> None:
    related = np.zeros(2)
    strong = 0
    for seed in range(200):
        walks = np.cumsum(np.random.default_rng(seed).normal(size=(2, 60)), axis=1)
        found = follows(*walks, resamples=200)
        related += [not covers(estimate, 0) for estimate in found]
        strong += abs(found.levels.value) > 0.5
    assert related[0] > 60  # the levels: more than 30 %
    assert strong > 50
    assert related[1] < 20  # the differences: less than 10 %


def test_curves_that_only_drift_are_not_taken_for_followers() -> None:
    false_alarms = 0
    for seed in range(100):
        noise = np.random.default_rng(seed).normal(size=(2, 20))
        found = follows(*(noise + np.arange(20)), resamples=200)
        assert found.levels.low > 0
        false_alarms += not covers(found.differences, 0)
    assert false_alarms < 10


def test_blocks_are_needed_for_autocorrelated_levels() -> None:
    phi, rho, count = 0.7, 0.6, 100
    truth = 6 / math.pi * math.asin(rho / 2)  # Spearman's rho of a normal pair
    covered = np.zeros(2)
    for seed in range(60):
        x, y = (autoregressive(e, phi) for e in correlated(np.random.default_rng(seed), count, rho))
        covered += [covers(follows(x, y, block, resamples=200).levels, truth) for block in (1, 10)]
    assert covered[0] < covered[1]
    assert covered[1] >= 53


def test_a_constant_curve_is_undecided_without_a_warning() -> None:
    found = follows(np.ones(30), np.arange(30.0))
    assert np.isnan([*found.levels, *found.differences]).all()
    # A straight line has an order, its differences have none.
    line = follows(np.arange(30.0), np.random.default_rng(0).normal(size=30))
    assert np.isfinite(line.levels).all()
    assert np.isnan(line.differences).all()


def test_a_curve_with_nan_or_two_infinities_in_a_row_is_undecided() -> None:
    curve = np.random.default_rng(0).normal(size=30)
    broken = np.where(np.arange(30) == 7, math.nan, curve)
    assert np.isnan(np.array(follows(broken, curve))).all()
    diverged = np.where(np.arange(30) > 27, math.inf, curve)
    assert np.isnan(follows(diverged, curve).differences).all()


def test_short_curves_have_a_value_but_no_interval() -> None:
    x, y = correlated(np.random.default_rng(0), 8, rho=0.5)
    found = follows(x, y)
    assert np.isfinite(found.levels).all()
    assert found.differences.value == pytest.approx(spearman(np.diff(x), np.diff(y)))
    assert math.isnan(found.differences.low)
    assert math.isnan(found.differences.high)
    assert np.isnan(np.array(follows(x[:1], y[:1]))).all()
    # 20 pairs are too few for blocks of 10.
    x, y = correlated(np.random.default_rng(0), 20, rho=0.5)
    assert math.isnan(follows(x, y, block=10).levels.low)


def test_a_curve_that_moves_once_is_not_certain_of_anything() -> None:
    step = (np.arange(30) == 4).astype(float)
    found = follows(step, 2 * step)
    assert found.levels == Estimate(pytest.approx(1), -1, pytest.approx(1))


# Trends and oscillation


def test_mann_kendall_counts_pairs_in_order() -> None:
    # 1 2 4 3 5: one pair of ten is out of order, so tau = (9 - 1) / 10. Of the 120 orders of five values
    # one has no such pair and four have one, so that p = 2 * 5 / 120.
    assert mann_kendall(np.array([1.0, 2, 4, 3, 5])) == (pytest.approx(0.8), pytest.approx(10 / 120))
    assert mann_kendall(np.array([4.0, 3, 2, 1])) == (pytest.approx(-1), pytest.approx(2 / 24))


def test_mann_kendall_corrects_for_ties() -> None:
    # 1 2 2 3: five pairs rise and one is tied, so S = 5 and tau-b = 5 / sqrt(6 * 5); the variance is
    # (4 * 3 * 13 - 2 * 1 * 9) / 18 = 23 / 3, and z = (5 - 1) / sqrt(23 / 3).
    trend = mann_kendall(np.array([1.0, 2, 2, 3]))
    assert trend.tau == pytest.approx(5 / math.sqrt(30))
    assert trend.p_value == pytest.approx(math.erfc(4 / math.sqrt(23 / 3) / math.sqrt(2)))


def test_mann_kendall_of_what_has_no_order_is_nan() -> None:
    for series in ([2.0] * 12, [1.0, math.nan, 3.0, 4.0], [1.0, 2.0], []):
        assert np.isnan(mann_kendall(np.array(series))).all()


def test_block_means_take_the_trends_out_of_a_stationary_curve() -> None:
    """An AR(1) of 1,000 steps with a memory of ten steps has no trend, as ten means of 100 steps show."""
    by_step, by_block = 0, 0
    for seed in range(60):
        curve = autoregressive(np.random.default_rng(seed).normal(size=1000), phi=0.9)
        by_step += mann_kendall(curve).p_value < 0.05
        by_block += mann_kendall(block_means(curve, 100)).p_value < 0.05
    assert by_step > 20
    assert by_block < 9


def test_block_means_leave_out_what_fills_no_block() -> None:
    assert block_means(np.array([1.0, 3, 5, 7, 100]), 2).tolist() == [2, 6]
    assert block_means(np.array([1.0, 3]), 5).tolist() == []
    with pytest.raises(ValueError, match="not 0"):
        block_means(np.ones(3), 0)


def test_sign_changes_are_where_a_curve_turns() -> None:
    assert sign_changes(np.array([5.0, 4, 2, 1, 0])) == 0
    assert sign_changes(np.array([0.0, 1, 0, 1, 0])) == 3
    # Differences 1, 0, 1, -2, -1: the 0 is left out, one of three places has a turn.
    assert sign_changes(np.array([1.0, 2, 2, 3, 1, 0])) == 1
    assert sign_changes(np.ones(9)) == sign_changes(np.array([0.0, 1, math.nan, 1, 0])) == 0


def test_independent_values_turn_at_two_places_of_three() -> None:
    values = np.random.default_rng(0).normal(size=20_000)
    assert sign_changes(values) / (len(values) - 2) == pytest.approx(2 / 3, abs=0.01)


# Intervals


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (3, 3, 0.4385, 1.0),
        (0, 10, 0.0, 0.2775),
        (2, 3, 0.2077, 0.9385),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_published_values(successes: int, trials: int, low: float, high: float) -> None:
    expected = (successes / trials, pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert wilson(successes, trials) == expected


def test_wilson_without_trials_knows_nothing_and_refuses_impossible_counts() -> None:
    share, low, high = wilson(0, 0)
    assert (math.isnan(share), low, high) == (True, 0, 1)
    with pytest.raises(ValueError, match="4 successes of 3 trials"):
        wilson(4, 3)


def test_student_interval_of_three_figures() -> None:
    # Deviation 1, so 4.3027 / sqrt(3) to either side.
    assert student_interval(np.array([1.0, 2, 3])) == pytest.approx((2, 2 - 2.4841, 2 + 2.4841), abs=1e-4)


def test_a_single_seed_has_no_interval_over_seeds() -> None:
    value, low, high = seeds_interval([np.array([1.0, 3.0])])
    assert (value, math.isnan(low), math.isnan(high)) == (2, True, True)


def runs(seed: int, between_seeds: float, between_faces: float, noise: float = 0.1) -> list[Values]:
    """Figures of three seeds on the same 200 faces, around 0."""
    generator = np.random.default_rng(seed)
    of_seeds = generator.normal(scale=between_seeds, size=(3, 1))
    of_faces = generator.normal(scale=between_faces, size=200)
    return list(of_seeds + of_faces + generator.normal(scale=noise, size=(3, 200)))


def test_seeds_that_differ_widen_the_intervals_over_seeds_not_the_one_over_faces() -> None:
    values = runs(0, between_seeds=1, between_faces=0.5)
    faces = faces_interval(values)
    assert width(faces) == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(200), rel=0.15)
    assert width(crossed_bootstrap(values)) > 5 * width(faces)
    assert width(seeds_interval(values)) > width(crossed_bootstrap(values))
    means = [estimate(values).value for estimate in (faces_interval, seeds_interval, crossed_bootstrap)]
    assert means == pytest.approx([float(np.mean(values))] * 3)


def test_a_hard_face_is_hard_for_all_seeds_in_the_crossed_bootstrap() -> None:
    values = runs(0, between_seeds=0, between_faces=1)
    faces = width(faces_interval(values))
    assert width(crossed_bootstrap(values)) == pytest.approx(faces, rel=0.1)


def test_how_often_intervals_of_three_seeds_cover_the_truth() -> None:
    covered = np.zeros(3)
    for seed in range(100):
        values = runs(seed, between_seeds=1, between_faces=0.5)
        faces, t = faces_interval(values, resamples=100), seeds_interval(values)
        both = crossed_bootstrap(values, resamples=100)
        covered += [covers(estimate, 0) for estimate in (faces, t, both)]
    assert covered[0] < 25  # over faces it isn't about seeds at all
    assert covered[1] >= 88
    assert 60 < covered[2] < 88  # the documented 75 %


def test_seeds_of_other_faces_have_no_interval_over_faces() -> None:
    with pytest.raises(ValueError, match=r"not of \[5, 50\]"):
        faces_interval([np.zeros(5), np.ones(50)])


@pytest.mark.parametrize("interval", [faces_interval, seeds_interval, crossed_bootstrap])
def test_figures_that_are_not_numbers_have_no_interval(
    interval: Callable[[Sequence[Values]], Estimate],
) -> None:
    values = [np.array([1.0, math.nan, 3.0]), np.array([1.0, 2.0, 3.0])]
    assert np.isnan(interval(values)).all()
    with pytest.raises(ValueError, match=r"every seed|one seed or more"):
        interval([])


def test_infinite_figures_give_infinite_ends() -> None:
    values = [np.array([30.0, 31, 32, math.inf])] * 2
    assert crossed_bootstrap(values).high == math.inf
    assert math.isnan(seeds_interval(values).low)


def test_pairing_takes_out_how_hard_faces_are() -> None:
    generator = np.random.default_rng(0)
    hardness = generator.normal(24, 3, size=200)
    ours = [hardness + 0.2 + generator.normal(scale=0.3, size=200) for _ in range(3)]
    gain = faces_interval(paired_differences(ours, hardness))
    assert gain.low > 0.1
    assert gain.high < 0.3
    assert width(gain) < width(faces_interval(ours)) / 5


def test_paired_differences_face_by_face() -> None:
    ours = [np.array([3.0, 5, math.inf, math.inf]), np.array([1.0, 2, 3, 4])]
    first, second = paired_differences(ours, np.array([1.0, 6, 7, math.inf]))
    assert first.tolist() == [2, -1, math.inf, 0]
    assert second.tolist() == [0, -4, -4, -math.inf]
    with pytest.raises(ValueError, match="4 faces cannot be paired"):
        paired_differences(ours, np.ones(3))


# Precision and recall


def test_precision_and_recall_of_points_on_a_line() -> None:
    samples = np.array([[0.0], [1], [2], [10]])
    references = np.array([[-1.5], [-0.5], [2.5], [9], [20]])
    # The samples' radii are 1, 1, 1 and 8 for k = 1, and 2, 1, 2 and 9 for k = 2.
    assert recall(samples, references, k=1) == pytest.approx(3 / 5)
    assert recall(samples, references, k=2) == pytest.approx(4 / 5)
    # The references' radii are 1, 1, 3, 6.5 and 11; 10 is near to 9 only.
    assert recall(references, samples, k=1) == 1
    assert recall(references[:3], samples, k=1) == pytest.approx(3 / 4)


def test_more_distances_than_are_held_at_once() -> None:
    generator = np.random.default_rng(0)
    samples, references = generator.normal(size=(2100, 2)), 2 * generator.normal(size=(2200, 2))
    radii = KDTree(samples).query(samples, k=4)[0][:, 3]  # the first is the sample itself
    apart = np.hypot(*(references[:, None, axis] - samples[None, :, axis] for axis in range(2)))
    assert recall(samples, references) == np.mean((apart <= radii).any(axis=1))
    assert 0.6 < recall(samples, references) < 0.9


def test_recall_of_a_collapsed_sampler_is_near_0_and_of_the_reference_distribution_near_1() -> None:
    generator = np.random.default_rng(0)
    references = generator.normal(size=(500, 8))
    collapsed = references[0] + generator.normal(scale=0.01, size=(500, 8))
    assert recall(collapsed, references) <= 1 / 500
    assert recall(references, collapsed) == 1
    again = generator.normal(size=(500, 8))
    assert recall(again, references) > 0.85
    assert recall(references, again) > 0.85
    assert recall(references, references) == 1


def test_a_sampler_of_half_of_the_modes_has_half_of_the_recall() -> None:
    generator = np.random.default_rng(0)
    modes = np.repeat([[0.0, 0], [100, 0], [0, 100], [100, 100]], 100, axis=0)
    references = modes + generator.normal(size=modes.shape)
    samples = modes[:200] + generator.normal(size=(200, 2))
    assert recall(samples, references) == pytest.approx(0.5, abs=0.05)
    assert recall(references, samples) > 0.9


def test_copies_of_one_sample_cover_only_themselves() -> None:
    references = np.random.default_rng(0).normal(size=(20, 5))
    assert recall(np.repeat(references[:1], 10, axis=0), references) == 1 / 20


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        recall(np.ones((3, 2)), np.ones((9, 2)))
    with pytest.raises(ValueError, match="cannot be compared"):
        recall(np.ones((9, 2)), np.ones((9, 3)))


def test_coarse_features_are_area_averages() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, size=(2, 64, 64, 3), dtype=np.uint8)
    features = coarse_features(pictures)
    assert features.shape == (2, 192)
    assert features[1, 3 * (8 * 2 + 5) + 1] == pytest.approx(pictures[1, 16:24, 40:48, 1].mean())
    with pytest.raises(ValueError, match="60 x 60"):
        coarse_features(pictures[:, :60, :60])


def test_standardised_features_weigh_the_same() -> None:
    references = np.random.default_rng(0).normal([1, 20, 5], [1, 100, 0], size=(50, 3))
    scaled = standardised(references, references)
    assert scaled.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-12)
    assert scaled.std(axis=0) == pytest.approx([1, 1, 0], abs=1e-12)
    assert standardised(references[:1] + np.array([0, 0, 2]), references)[0, 2] == pytest.approx(2)


def test_face_coverage_of_pictures() -> None:
    generator = np.random.default_rng(0)

    def faces(count: int) -> Values:
        """Pictures that differ in five coarse directions and a little noise."""
        patterns = np.random.default_rng(9).normal(size=(5, 8, 8, 3))
        coarse = np.tensordot(generator.normal(size=(count, 5)), patterns, axes=1)
        return (
            0.5
            + 0.1 * coarse.repeat(8, axis=1).repeat(8, axis=2)
            + generator.normal(scale=0.01, size=(count, 64, 64, 3))
        )

    references = faces(150)
    assert min(face_coverage(faces(150), references).values()) > 0.8
    collapsed = references[:1] + generator.normal(scale=0.01, size=(150, 64, 64, 3))
    assert face_coverage(collapsed, references)["recall"] <= 1 / 150
