"""Stability and collapse are judged correctly for made-up runs with known answers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from made_runs import BASELINES, COLLAPSE, EVALUATIONS, STABLE, about, cells_of, made_run, noise_run, three
from scipy import stats

from srcli.reproduction.claims import Claim
from srcli.reproduction.claims.collapse import judge_collapse
from srcli.reproduction.claims.stable import judge_stable
from srcli.reproduction.intervals import majority, share_difference, wilson
from srcli.reproduction.records import RunRecord
from srcli.reproduction.verdicts import Verdict


def stable_of(records: Sequence[RunRecord], planned: Mapping[str, int] | None = None) -> Claim:
    return judge_stable(cells_of(records, planned or {}), BASELINES, STABLE)


def test_runs_within_all_thresholds_are_stable() -> None:
    claim = stable_of([*three("mlp-wgan"), *three("mlp-wgangp"), *three("mlp-gan", psnr={"running": 15.0})])
    assert claim.verdict is Verdict.HOLDS
    assert about(claim, "WGAN").estimate == wilson(3, 3)
    assert about(claim, "GAN").estimate == wilson(0, 3)
    assert about(claim, "mlp-gan").verdict is Verdict.DOES_NOT_HOLD
    contrast = about(claim, "Wasserstein objectives against the GAN")
    assert contrast.estimate == share_difference(6, 6, 0, 3)
    assert contrast.verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"psnr": {"running": 12.0}}, "(a PSNR below 19."),
        ({"spread": 0.3}, "(a spread below 0.5)"),
        ({"duplicates": 0.4}, "(duplicates above 0.1)"),
        ({"diverged": True}, "it diverged (a loss is not finite)"),
    ],
)
def test_run_beyond_a_threshold_failed_by_its_last_step(settings: dict[str, Any], fault: str) -> None:
    claim = stable_of([made_run("mlp-wgan", **settings)])
    finding = about(claim, "mlp-wgan, seed 0")
    assert finding.verdict is Verdict.DOES_NOT_HOLD
    assert finding.sentence.startswith("Failed by step 1000")
    assert fault in finding.sentence


def test_architecture_without_a_stable_run_refutes_stability_of_all() -> None:
    records = [run for name in ("mlp", "dcgan", "resnet") for run in three(f"{name}-wgan")]
    assert stable_of(records).verdict is Verdict.HOLDS
    claim = stable_of([*records, *three("dcgan-tanh-wgan", psnr={"running": 12.0})])
    assert claim.verdict is Verdict.DOES_NOT_HOLD
    assert "none in dcgan-tanh-wgan" in claim.sentence


def test_better_kind_of_batch_statistics_decides_and_both_are_told() -> None:
    claim = stable_of([made_run("mlp-wgan", psnr={"running": 12.0, "batch": 22.0})])
    finding = about(claim, "mlp-wgan, seed 0")
    assert finding.verdict is Verdict.HOLDS
    assert "dB with batch statistics (1" in finding.sentence
    assert "with running statistics)" in finding.sentence


def test_psnr_that_still_rises_at_the_end_is_told() -> None:
    rising = {"psnr": np.linspace(15, 22, EVALUATIONS)}
    claim = stable_of([made_run("mlp-wgan", evaluations=rising), made_run("mlp-wgan", 1)])
    assert "still rising (tau 1.00)" in about(claim, "mlp-wgan, seed 0").sentence
    assert "still rising in the last third of 1 of 2 runs" in claim.sentence


def test_missing_runs_leave_a_claim_undecided_that_they_could_change() -> None:
    claim = stable_of(three("mlp-wgan"), {"mlp-wgan": 3, "dcgan-wgan": 3})
    assert claim.verdict is Verdict.UNDECIDED
    assert about(claim, "all cells").sentence.endswith("incomplete: 0 of 3 of dcgan-wgan.")
    assert majority(8, 8, 1)[1] is Verdict.HOLDS
    assert majority(5, 5, 2)[1] is Verdict.UNDECIDED
    assert majority(0, 8, 1)[1] is Verdict.DOES_NOT_HOLD
    assert majority(0, 5, 2)[1] is Verdict.UNDECIDED


def test_difference_of_shares_is_newcombe() -> None:
    found = share_difference(56, 70, 48, 80)  # Newcombe 1998, table II, contrast (a), method 10
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def collapse_of(penalty: tuple[float, float], gan: tuple[float, float], **settings: Any) -> Claim:
    records = [
        noise_run(f"noise-dcgan-{name}", seed, duplicates + 0.001 * seed, recall - 0.001 * seed)
        for name, (duplicates, recall) in (("wgangp", penalty), ("gan", gan))
        for seed in range(3)
    ]
    grid = [*three("mlp-wgan", **settings), *three("mlp-wgangp")]
    return judge_collapse(cells_of([*records, *grid], {}), COLLAPSE, STABLE.least_spread)


def test_collapsed_sampler_is_told_from_one_that_is_not() -> None:
    claim = collapse_of(penalty=(0.01, 0.5), gan=(0.7, 0.02))
    assert claim.verdict is Verdict.HOLDS
    good, collapsed = (about(claim, f"noise-dcgan-{name}", "cover") for name in ("wgangp", "gan"))
    assert good.verdict is Verdict.HOLDS
    assert collapsed.verdict is Verdict.DOES_NOT_HOLD
    assert good.interval == "seeds"
    reach = stats.t.ppf(0.975, 2) * 0.001 / math.sqrt(3)
    assert good.estimate == pytest.approx((0.499, 0.499 - reach, 0.499 + reach))
    assert "with batch statistics; 0.00 (0.00 to 0.00) with running statistics" in good.sentence
    assert collapse_of(penalty=(0.7, 0.02), gan=(0.7, 0.02)).verdict is Verdict.DOES_NOT_HOLD


def test_collapsed_super_resolution_refutes_the_claim() -> None:
    claim = collapse_of((0.01, 0.5), (0.7, 0.02), spread=0.05, duplicates=0.9)
    assert claim.verdict is Verdict.DOES_NOT_HOLD
    assert about(claim, "mlp-wgan").verdict is Verdict.DOES_NOT_HOLD
    assert about(claim, "mlp-wgangp").verdict is Verdict.HOLDS


def test_diverged_runs_do_not_count_as_collapsed() -> None:
    claim = collapse_of((0.01, 0.5), (0.7, 0.02), diverged=True)
    assert claim.verdict is Verdict.UNDECIDED
