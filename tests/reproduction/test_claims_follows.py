"""Whether the loss follows quality is judged correctly for made-up runs with known answers."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from made_runs import EVALUATIONS, EVERY, FOLLOWS, STEPS, Values, about, cells_of, made_run
from scipy import stats

from srcli.reproduction.claims import Claim
from srcli.reproduction.claims.curves import means_between
from srcli.reproduction.claims.follows import judge_follows
from srcli.reproduction.intervals import wilson
from srcli.reproduction.records import RunRecord
from srcli.reproduction.verdicts import Finding, Verdict


def run_with_curves(cell: str, seed: int, size: Values, quality: Values) -> RunRecord:
    """A run whose Wasserstein estimate is -size (evaluations,) in the steps before each evaluation."""
    noise = np.random.default_rng(seed).normal(0, 1e-3, STEPS)
    return made_run(
        cell,
        seed,
        evaluations={"psnr": quality, "consistency": 1 / quality},
        steps={"wasserstein": noise - np.repeat(size, EVERY)},
    )


def follows_of(records: Sequence[RunRecord]) -> Claim:
    return judge_follows(cells_of(records, {}), FOLLOWS)


def deciding(claim: Claim) -> list[Finding]:
    return [finding for finding in claim.findings if finding.threshold.startswith("decides")]


def verdicts_of(claim: Claim) -> set[str]:
    return {finding.verdict.value for finding in deciding(claim)}


def test_loss_that_moves_with_quality_follows_it() -> None:
    records = []
    for seed in range(3):
        random = np.random.default_rng(seed)
        moves = random.normal(size=EVALUATIONS)
        for cell in ("mlp-wgan", "mlp-wgangp"):
            quality = 20 + moves + random.normal(0, 0.3, EVALUATIONS)
            records.append(run_with_curves(cell, seed, 5 - moves, quality))
    claim = follows_of(records)
    assert verdicts_of(claim) == {"holds"}
    assert claim.verdict is Verdict.HOLDS
    assert claim.findings[0].estimate == wilson(6, 6)
    late = records[0].evaluations["psnr"][10:]
    blocks = np.abs(records[0].steps["wasserstein"].reshape(-1, EVERY).mean(axis=1))[10:]
    expected = stats.spearmanr(-np.diff(blocks), np.diff(late)).statistic
    assert about(claim, "mlp-wgan, seed 0", "changes: |W| in training, PSNR").estimate.value == pytest.approx(
        expected
    )
    assert "in 6 of 6 Wasserstein runs" in claim.sentence


def test_loss_that_moves_against_quality_does_not_follow_it() -> None:
    records = []
    for seed in range(6):
        moves = np.random.default_rng(seed).normal(size=EVALUATIONS)
        records.append(run_with_curves("mlp-wgan", seed, 5 + moves, 20 + moves))
    claim = follows_of(records)
    assert verdicts_of(claim) == {"does not hold"}
    assert claim.verdict is Verdict.DOES_NOT_HOLD
    assert "went with worse PSNR" in deciding(claim)[0].sentence


def test_curves_that_only_drift_have_high_levels_and_do_not_hold() -> None:
    drift = np.linspace(0, 4, EVALUATIONS)
    records = []
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(0, 0.2, (2, EVALUATIONS))
        records.append(run_with_curves("mlp-wgan", seed, 6 - drift + noise[0], 18 + drift + noise[1]))
    claim = follows_of(records)
    levels = [one for one in claim.findings if "levels: |W| in training, PSNR" in one.statistic]
    assert all(one.estimate is not None and one.estimate.value > 0.9 for one in levels)
    assert {one.verdict for one in levels} == {Verdict.UNDECIDED}
    assert "holds" not in verdicts_of(claim)
    assert claim.verdict is not Verdict.HOLDS
    assert "|W| fell in 6 and rose in 0" in claim.sentence


def test_outputs_with_batch_statistics_are_the_quality_that_the_loss_is_held_against() -> None:
    moves = np.random.default_rng(0).normal(size=EVALUATIONS)
    run = run_with_curves("mlp-wgan", 0, 5 - moves, 20 - moves)
    with_batch = {"psnr_batch": 20 + moves, "consistency_batch": 1 / (20 + moves)}
    better = RunRecord(**{**run.__dict__, "evaluations": {**run.evaluations, **with_batch}})
    assert verdicts_of(follows_of([run])) == {"does not hold"}
    assert verdicts_of(follows_of([better])) == {"holds"}


def test_gan_is_a_control_by_its_critic_loss() -> None:
    moves = np.random.default_rng(0).normal(size=EVALUATIONS)
    quality = {"psnr": 20 + moves, "consistency": 0.05 - 0.01 * moves, "wasserstein_test": moves}
    run = made_run("mlp-gan", evaluations=quality, steps={"critic_loss": np.repeat(1 + moves, EVERY)})
    claim = follows_of([run])
    (first,) = deciding(claim)
    assert first.statistic == "Spearman's correlation of changes: the critic loss, PSNR"
    assert first.estimate is not None
    assert first.estimate.value == pytest.approx(1.0)
    assert any("|W| on held-out faces" in finding.statistic for finding in claim.findings)
    assert claim.verdict is Verdict.UNDECIDED  # no Wasserstein run


def test_run_that_ended_in_the_burn_in_is_undecided() -> None:
    run = made_run("mlp-wgan", diverged=True)
    short = RunRecord(**{**run.__dict__, "step": 5, "evaluations": {}, "steps": {"step": np.arange(1.0, 6)}})
    short = RunRecord(**{**short.__dict__, "steps": {**short.steps, "wasserstein": np.ones(5)}})
    claim = follows_of([short])
    assert claim.verdict is Verdict.UNDECIDED
    assert "too few evaluations" in about(claim, "mlp-wgan, seed 0").sentence


def test_means_between_evaluations_leave_out_what_is_not_known() -> None:
    steps = np.arange(1.0, 7)
    values = np.array([1.0, 3.0, np.nan, 5.0, np.nan, np.nan])
    means = means_between(steps, values, np.array([2.0, 4.0, 6.0]))
    assert means[:2].tolist() == [2.0, 5.0]
    assert math.isnan(means[2])
