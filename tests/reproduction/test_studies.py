"""The studies end to end at tiny sizes, and their verdicts on made-up results with known answers."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from matplotlib.figure import Figure
from matplotlib.text import Text
from pydantic import TypeAdapter, ValidationError

from srcli.reproduction.studies import (
    STUDIES,
    THEORY_NOT_TESTED,
    ClippingStudy,
    DistancesStudy,
    ExactEmStudy,
    ModesStudy,
    OptimalityStudy,
    StudySettings,
)
from srcli.reproduction.studies.drawing import as_png, label_plainly
from srcli.reproduction.verdicts import Finding, Verdict

PLAN = yaml.safe_load((Path(__file__).parents[2] / "plans" / "wgan.yaml").read_text("utf-8"))
ADAPTER: TypeAdapter[Any] = TypeAdapter(StudySettings)
STUDY = {settings["study"]: ADAPTER.validate_python(settings) for settings in PLAN["studies"]}

TINY: dict[str, dict[str, Any]] = {
    "distances": {"thetas": [-0.5, 0.0, 0.5], "critic_steps": 2, "evaluation_points": 20},
    "optimality": {"checkpoints": [0, 1, 3], "evaluation_points": 20, "dimensions": 5},
    "exact_em": {"points": 20, "critic_steps": 2},
    "modes": {"steps": 2, "samples": 60, "transport_points": 20},
    "clipping": {"steps": 2, "n_critics": [1, 2], "samples": 60, "surface_points": 5},
}


def tiny(name: str) -> Any:
    settings = next(settings for settings in PLAN["studies"] if settings["study"] == name)
    return ADAPTER.validate_python({**settings, **TINY[name], "batch_size": 8})


def findings_of(findings: list[Finding], claim: str) -> dict[str, Verdict]:
    return {f"{f.subject}: {f.statistic}": f.verdict for f in findings if f.claim == claim}


def verdicts_of(findings: list[Finding], claim: str) -> list[Verdict]:
    return list(findings_of(findings, claim).values())


def test_the_plan_holds_every_study_with_its_seeds() -> None:
    assert (PLAN["name"], list(STUDY)) == ("wgan", list(STUDIES))
    assert {name: type(study) for name, study in STUDY.items()} == dict(STUDIES)
    assert [len(study.seeds) for study in STUDY.values()] == [10, 10, 10, 10, 5]
    assert len(THEORY_NOT_TESTED) >= 3


def test_the_plan_leaves_no_setting_to_a_default() -> None:
    for settings in PLAN["studies"]:
        fields = STUDIES[settings["study"]].model_fields
        assert set(settings) == set(fields)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"study": "dance"}, "does not match any of the expected tags"),
        ({"steps": 5}, "Extra inputs are not permitted"),
        ({"seeds": [1]}, "at least 2 items"),
        (
            {"methods": {**PLAN["studies"][0]["methods"], "gan": PLAN["studies"][0]["methods"]["wgan"]}},
            "name gan",
        ),
    ],
)
def test_settings_that_make_no_study_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ADAPTER.validate_python({**PLAN["studies"][0], **change})


@pytest.mark.parametrize("name", list(STUDIES))
def test_a_study_is_a_function_of_its_seed_and_ends_in_findings_a_table_and_a_figure(
    name: str,
) -> None:
    study = tiny(name)
    first, again, other = (json.loads(json.dumps(study.run(s), allow_nan=False)) for s in (3, 3, 4))
    assert first == again
    assert first != other
    results = [first, other]
    findings = list(study.summarize(results))
    assert {f.claim for f in findings} == set(study.claims)
    for found in findings:
        assert found.estimate is not None
        assert found.estimate.low <= found.estimate.value <= found.estimate.high
        assert (found.interval, found.sentence[-1]) == ("seeds", ".")
    table = study.table(results)
    assert all(list(row) == list(table.rows[0]) for row in table.rows)
    png = as_png(lambda: study.figure(results))
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert png == as_png(lambda: study.figure(results))


@pytest.mark.parametrize("name", list(STUDIES))
def test_no_text_of_a_figure_needs_mathematical_fonts(name: str) -> None:
    study = tiny(name)
    figure = study.figure([json.loads(json.dumps(study.run(seed))) for seed in (3, 4)])
    figure.canvas.draw()
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert [text for text in texts if "$" in text] == []


def test_logarithmic_axes_are_labelled_with_plain_numbers() -> None:
    figure = Figure()
    few, many, signed = figure.subplots(3, 1)
    few.set(yscale="log", ylim=(0.2, 0.9))
    many.set(yscale="log", ylim=(1e-7, 10))
    signed.set_yscale("symlog", linthresh=1e-3)
    signed.set_ylim(-1, 1)
    label_plainly(few.yaxis, many.yaxis, signed.yaxis)
    figure.canvas.draw()
    labels = [
        {text.get_text() for text in axes.get_yticklabels(which="both")} for axes in (few, many, signed)
    ]
    assert {"0.2", "0.4"} <= labels[0]
    assert {"1e−07", "10"} <= labels[1]
    assert {"−1", "−0.001", "0", "0.001"} <= labels[2]


def line_results(slope: float, js: float, sign: int, saturated: float) -> list[dict[str, Any]]:
    thetas = STUDY["distances"].thetas
    results = []
    for noise in (-0.001, 0.001):
        estimates = [slope * abs(theta) + noise for theta in thetas]
        gradients = [sign * math.copysign(slope + noise, theta) for theta in thetas]
        gan = {
            "estimates": [js + noise if theta else 0.0 for theta in thetas],
            "gradients": gradients,
            "saturating_gradients": [saturated + noise for _ in thetas],
        }
        critic = {"estimates": estimates, "gradients": gradients}
        results.append({"thetas": list(thetas), "gan": gan, "wgan": critic, "wgan-gp": critic})
    return results * 5  # as many seeds as a share needs


def test_critics_that_follow_the_distance_confirm_the_distances() -> None:
    findings = list(STUDY["distances"].summarize(line_results(1.0, math.log(2), 1, 0.001)))
    assert {f.verdict for f in findings} == {Verdict.HOLDS}
    assert {f.claim for f in findings} == set(DistancesStudy.claims)


def test_critics_that_follow_nothing_refute_the_distances() -> None:
    findings = list(STUDY["distances"].summarize(line_results(0.0, 0.1, -1, 0.5)))
    assert {f.verdict for f in findings} == {Verdict.DOES_NOT_HOLD}


@pytest.mark.parametrize(
    ("left", "vanishing", "alternative", "lasting"),
    [
        (0.001, Verdict.HOLDS, Verdict.DOES_NOT_HOLD, Verdict.DOES_NOT_HOLD),
        (0.9, Verdict.DOES_NOT_HOLD, Verdict.HOLDS, Verdict.HOLDS),
    ],
)
def test_gradients_vanish_or_last_by_what_is_left_of_the_largest(
    left: float, vanishing: Verdict, alternative: Verdict, lasting: Verdict
) -> None:
    study = STUDY["optimality"]
    norms = [0.5, *[1.0] * (len(study.checkpoints) - 2)]
    results = [
        {"norms": {name: [*norms, left * factor] for name in ("gan, saturating", "gan", "wgan", "wgan-gp")}}
        for factor in (0.99, 1.01)
    ]
    findings = list(study.summarize(results))
    assert verdicts_of(findings, "wgan.optimality.vanishing") == [vanishing]
    assert verdicts_of(findings, "wgan.optimality.alternative") == [alternative]
    assert verdicts_of(findings, "wgan.optimality.lasting") == [lasting] * 2
    assert findings[0].estimate is not None
    assert findings[0].estimate.value == pytest.approx(left, rel=1e-3)
    assert {f.claim for f in findings} == set(OptimalityStudy.claims)


@pytest.mark.parametrize(
    ("slope", "shuffled", "expected"),
    [
        (1.0, False, [Verdict.HOLDS] * 3),
        (2.0, False, [Verdict.HOLDS, Verdict.HOLDS, Verdict.DOES_NOT_HOLD]),
        (1.0, True, [Verdict.DOES_NOT_HOLD] * 3),
    ],
)
def test_estimates_are_held_against_exact_em(slope: float, shuffled: bool, expected: list[Verdict]) -> None:
    exact = [0.25, 1.0, 2.0, 0.6, 1.2, 0.4, 1.5, 0.8]
    results = []
    for noise in (0.99, 1.0, 1.01):
        reported = [slope * noise * value for value in (sorted(exact) if shuffled else exact)]
        results.append({"exact": exact, "estimates": {"wgan-gp": reported, "wgan": reported}})
    findings = list(STUDY["exact_em"].summarize(results))
    assert [f.verdict for f in findings] == expected
    assert {f.claim for f in findings} == set(ExactEmStudy.claims)


def mode_results(covered: dict[str, float], good: dict[str, float]) -> list[dict[str, Any]]:
    parts = {"8-gaussians": 8, "25-gaussians": 25, "swiss-roll": 24}
    cases = {
        shape: {
            name: {"covered": round(covered[name] * count), "good_share": good[name], "em": 0.1}
            for name in good
        }
        for shape, count in parts.items()
    }
    return [{"shapes": cases}] * 3


def test_generators_that_cover_all_modes_confirm_the_claim_and_a_collapsed_gan_its_own() -> None:
    covered = {"gan": 0.5, "wgan": 1.0, "wgan-gp": 1.0}
    findings = list(
        STUDY["modes"].summarize(mode_results(covered, {"gan": 0.6, "wgan": 0.9, "wgan-gp": 0.9}))
    )
    assert {f.verdict for f in findings} == {Verdict.HOLDS}
    assert {f.claim for f in findings} == set(ModesStudy.claims)


def test_generators_that_lose_modes_or_quality_refute_the_claims() -> None:
    covered = {"gan": 1.0, "wgan": 0.2, "wgan-gp": 0.2}
    findings = list(
        STUDY["modes"].summarize(mode_results(covered, {"gan": 0.9, "wgan": 0.1, "wgan-gp": 0.1}))
    )
    assert {f.verdict for f in findings} == {Verdict.DOES_NOT_HOLD}


def clipping_results(
    norms: list[float], at_large: float, at_middle: float, good: float
) -> list[dict[str, Any]]:
    cells: dict[str, Any] = {}
    for cell in STUDY["clipping"].cells():
        share = {0.001: 0.9, 0.01: at_middle, 0.1: at_large, None: None}[cell.clip_value]
        own = norms if cell.clip_value else [1.0, 1.0, 1.0, 1.0]
        cells[cell.key] = {"gradients": own, "clipped_share": share, "covered": 8, "good_share": good}
    cells["penalty"]["good_share"] = 0.7
    return [{"cells": cells}] * 2


def test_what_clipping_does_is_told_from_gradients_shares_and_samples() -> None:
    study = STUDY["clipping"]
    findings = list(study.summarize(clipping_results([1e-9, 1e-7, 1e-5, 1e-2], 0.01, 0.8, 0.1)))
    assert {f.verdict for f in findings} == {Verdict.HOLDS}
    assert {f.claim for f in findings} == set(ClippingStudy.claims)
    refuted = list(study.summarize(clipping_results([1.0, 1.0, 1.0, 1.0], 0.9, 0.1, 0.9)))
    for claim in ("vanishing", "slow", "extremes"):
        assert verdicts_of(refuted, f"wgan.clipping.{claim}") == [Verdict.DOES_NOT_HOLD] * len(
            study.n_critics
        )
    assert verdicts_of(refuted, "wgan.clipping.simple") == [Verdict.DOES_NOT_HOLD] * 3
    assert verdicts_of(refuted, "wgan.clipping.penalty") == [Verdict.HOLDS]


def test_the_cells_of_the_clipping_study_are_all_limits_with_all_n_critics_and_the_penalty() -> None:
    cells = STUDY["clipping"].cells()
    assert [(c.clip_value, c.method.objective.n_critic) for c in cells] == [
        *((clip, n) for clip in (0.001, 0.01, 0.1) for n in (1, 5, 25)),
        (None, 5),
    ]
    assert [c.method.objective.clip_value for c in cells[:-1]] == [c.clip_value for c in cells[:-1]]
