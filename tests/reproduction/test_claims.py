"""Claims are judged correctly for made-up runs with known answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from made_runs import (
    BASELINES,
    EVALUATIONS,
    FOLLOWS,
    THRESHOLDS,
    about,
    cells_of,
    made_run,
    noise_run,
    three,
)

from srcli.reproduction.cells import cells_of as real_cells
from srcli.reproduction.claims import Claim, judge
from srcli.reproduction.claims.batch_norm import judge_batch_norm
from srcli.reproduction.claims.bicubic import judge_bicubic
from srcli.reproduction.claims.gamma import judge_gamma
from srcli.reproduction.plan import BatchNorm, load_plan, planned_runs
from srcli.reproduction.verdicts import Verdict


def batch_norm_of(without: float, **settings: Any) -> Claim:
    records = [
        run
        for name in ("wgan", "wgangp")
        for run in [
            *three(f"resnet-{name}", psnr={"running": 20.0, "batch": 22.0}),
            *three(f"resnet-nobn-{name}", psnr={"running": without}, **settings),
        ]
    ]
    return judge_batch_norm(cells_of(records, {}), THRESHOLDS.batch_norm)


def test_batch_norm_is_not_needed_where_psnr_stays_without_it() -> None:
    claim = batch_norm_of(without=21.7)
    assert claim.verdict is Verdict.HOLDS
    estimate = about(claim, "resnet-nobn-wgan against resnet-wgan").estimate
    assert estimate is not None
    assert estimate.value == pytest.approx(-0.3, abs=0.05)  # against batch statistics, the better kind
    assert estimate.high - estimate.low < 0.3  # hard faces are hard for both


def test_batch_norm_is_needed_where_psnr_drops_without_it() -> None:
    assert batch_norm_of(without=18.0).verdict is Verdict.DOES_NOT_HOLD
    assert batch_norm_of(without=21.7, diverged=True).verdict is Verdict.DOES_NOT_HOLD


def test_batch_norm_is_undecided_with_a_seed_missing() -> None:
    records = [*three("resnet-wgan"), *three("resnet-nobn-wgan")[:2]]
    claim = judge_batch_norm(
        cells_of(records, {"resnet-wgan": 3, "resnet-nobn-wgan": 3}), BatchNorm(most_loss=1)
    )
    assert claim.verdict is Verdict.UNDECIDED
    assert (
        about(claim, "all cells").sentence
        == "Undecided: 5 of 6 runs are done; incomplete: 2 of 3 of resnet-nobn-wgan."
    )
    assert "over 2 seeds" in claim.findings[0].sentence


def gamma_of(gan: Sequence[float], wgan: Sequence[float], share: float = 0.5) -> Claim:
    """Colour shifts at gamma 0, 0.5 and 0.9, with three runs each."""
    shares = {"adversary_share": np.full(EVALUATIONS, share)}
    places = (("-gamma0", "gamma", 0.0), ("-gamma05", "gamma", 0.5), ("", "grid", 0.9))
    records = [
        run
        for name, shifts in (("resnet-gan", gan), ("resnet-wgan", wgan))
        for (suffix, part, gamma), shift in zip(places, shifts, strict=True)
        for run in three(name + suffix, part=part, gamma=gamma, colour=shift, evaluations=shares)
    ]
    return judge_gamma(cells_of(records, {}), FOLLOWS.burn_in, THRESHOLDS.gamma)


def test_gamma_matters_less_to_the_objective_whose_colours_stay() -> None:
    claim = gamma_of(gan=(0.2, 0.05, 0.01), wgan=(0.05, 0.03, 0.02))
    assert claim.verdict is Verdict.HOLDS
    estimate = claim.findings[0].estimate
    assert estimate is not None
    assert estimate.value == pytest.approx((0.2 - 0.01) - (0.05 - 0.02), abs=0.001)
    assert gamma_of(gan=(0.05, 0.03, 0.02), wgan=(0.2, 0.05, 0.01)).verdict is Verdict.DOES_NOT_HOLD


def test_gamma_zero_decides_where_the_adversary_is_as_good_as_absent() -> None:
    shifts = {
        "gan": (0.10, 0.09, 0.09),
        "wgan": (0.08, 0.02, 0.02),
    }  # the increase is WGAN's, the shift GAN's
    assert gamma_of(**shifts).verdict is Verdict.DOES_NOT_HOLD
    claim = gamma_of(**shifts, share=0.02)
    assert claim.verdict is Verdict.HOLDS
    assert "as good as absent" in claim.sentence
    assert "gamma 0 decides" in claim.sentence


def bicubic_of(psnr: float) -> Claim:
    cells = cells_of([*three("mlp-wgan", psnr={"running": psnr}), *three("mlp-gan")], {})
    return judge_bicubic(cells, BASELINES)


def test_outputs_are_held_against_both_bicubics() -> None:
    above, between = bicubic_of(24.0), bicubic_of(20.5)
    assert above.verdict is Verdict.HOLDS
    assert between.verdict is Verdict.DOES_NOT_HOLD
    pillow = about(between, "mlp-wgan", "PSNR, difference to Pillow")
    tensorflow = about(between, "mlp-wgan", "PSNR, difference to TensorFlow")
    assert pillow.estimate is not None
    assert tensorflow.estimate is not None
    assert pillow.estimate.value == pytest.approx(-2.0, abs=0.05)
    assert tensorflow.estimate.value == pytest.approx(1.5, abs=0.05)
    assert tensorflow.verdict is Verdict.HOLDS
    assert about(between, "mlp-wgan", "SSIM, difference to Pillow").estimate == pytest.approx((-0.05,) * 3)


def test_all_claims_are_undecided_without_any_run() -> None:
    claims = judge(real_cells(planned_runs(load_plan("small")), []), {}, THRESHOLDS)
    keys = ["follows", "stable", "collapse", "batch_norm", "gamma", "bicubic"]
    assert [claim.key for claim in claims] == keys
    assert {claim.verdict for claim in claims} == {Verdict.UNDECIDED}
    by_key = {claim.key: claim for claim in claims}
    assert about(by_key["gamma"], "all cells").sentence == (
        "Undecided: 0 of 18 runs are done; incomplete: 0 of 3 of resnet-gan-gamma0, resnet-gan-gamma05,"
        " resnet-wgan-gamma0, resnet-wgan-gamma05, resnet-gan, resnet-wgan."
    )
    stable = about(by_key["stable"], "all cells").sentence
    assert stable.startswith("Undecided: 0 of 50 runs are done; incomplete: 0 of 3 of mlp-gan, mlp-wgan, ")
    assert "; 0 of 1 of mlp-gan-equalised, dcgan-gan-equalised, " in stable
    assert {claim.verdict for claim in judge([], {}, THRESHOLDS)} == {Verdict.UNDECIDED}


def test_the_plan_says_what_a_cell_without_runs_is_for() -> None:
    part = load_plan("smoke").parts[0].model_copy(update={"part": "noise", "suffix": "full"})
    plan = load_plan("smoke").model_copy(update={"parts": (part,)})
    claims = {claim.key: claim for claim in judge(real_cells(planned_runs(plan), []), {}, THRESHOLDS)}
    assert "mlp-gan-full, mlp-wgan-full" in about(claims["collapse"], "all cells").sentence
    assert {key for key, claim in claims.items() if "mlp-gan-full" in str(claim.findings)} == {"collapse"}


def test_runs_that_are_missing_have_one_finding_a_claim() -> None:
    cells = cells_of(
        [made_run("mlp-wgan"), made_run("mlp-gan")], {"mlp-wgan": 3, "mlp-gan": 3, "dcgan-gan": 2}
    )
    for claim in judge(cells, BASELINES, THRESHOLDS):
        of_missing = [one.sentence for one in claim.findings if one.statistic == "runs that are done"]
        expected = (
            "Undecided: 2 of 8 runs are done; incomplete: 1 of 3 of mlp-wgan, mlp-gan; 0 of 2 of dcgan-gan."
        )
        assert of_missing == ([] if claim.key in ("batch_norm", "gamma") else [expected])


def test_every_claim_is_judged_of_half_a_campaign() -> None:
    records = [
        made_run("resnet-wgan"),
        made_run("resnet-gan", diverged=True),
        made_run("resnet-nobn-wgan"),
        made_run("resnet-wgan-gamma0", 0, "gamma", gamma=0.0),
        made_run("resnet-gan-equalised", 0, "equalised"),
        noise_run("noise-dcgan-gan", 0, 0.0, 0.5),
    ]
    claims = judge(cells_of(records, {run.cell: 3 for run in records}), BASELINES, THRESHOLDS)
    assert {claim.verdict for claim in claims} == {Verdict.UNDECIDED}
    texts = [text for claim in claims for text in (claim.sentence, *(one.sentence for one in claim.findings))]
    assert all(text.endswith(".") and "nan" not in text for text in texts)
