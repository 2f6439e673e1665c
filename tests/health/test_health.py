"""Run health: rules on hand-made logs and networks, and unhealthy runs through the program."""

import json
import math
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_experiments import PRESETS, pack_faces, small_dataset, small_experiment
from torch import nn
from warm import Srcli

from srcli.errors import UnhealthyRunError
from srcli.experiment.schema import Experiment
from srcli.health.rules import RULES, Findings, Watch, health_lines, swing_of
from srcli.health.wording import describe_health
from srcli.objectives import Gan, Wgan, WganGp, clipped_share
from srcli.runs.directory import RunDirectory, create_run
from srcli.runs.lock import actual_state
from srcli.runs.log import read_log
from srcli.storage.bounded import JsonObject
from srcli.training.evaluate import choose_test_faces
from srcli.training.loop import StopRequest, train
from srcli.training.state import build_state
from srcli.training.symptoms import symptoms

CPU = torch.device("cpu")
RARELY = {"evaluate_every": 200, "sample_every": 1000, "checkpoint_every": 1000}
HEALTHY_EVALUATION = {
    "spread": 0.9,
    "copies": 0.0,
    "score_train": 3.0,
    "score_test": 2.8,
    "score_fake": -2.0,
    "clipped_share": 0.7,
}


def noise(step: int) -> float:
    return 0.3 * math.sin(12.9898 * step)  # as irregular as it takes, and the same everywhere


def healthy_gan(step: int) -> JsonObject:
    return {"critic_loss": 1.2 + noise(step), "wasserstein": 1.1 + noise(step), "l1": 0.08}


def healthy_wgan_gp(step: int) -> JsonObject:
    wasserstein = 6 + 12 * math.exp(-step / 150) + noise(step)
    penalty = 0.1 + 0.3 * math.exp(-step / 150)
    return {
        "critic_loss": 10 * penalty - wasserstein,
        "wasserstein": wasserstein,
        "gradient_penalty": penalty,
        "adversarial": 5.0 * step,  # a critic's level is free to drift
        "l1": 0.1,
    }


def made_log(
    terms: Any, evaluation: JsonObject = HEALTHY_EVALUATION, steps: int = 400
) -> Iterator[JsonObject]:
    """A log with an evaluation at every 100th step."""
    for step in range(1, steps + 1):
        yield {"step": step, **terms(step), **(evaluation if step % 100 == 0 else {})}


def judge(watch: Watch, log: Iterator[JsonObject]) -> list[JsonObject]:
    return [watch.judge(entry, evaluated="spread" in entry) for entry in log]


def findings(objective: Any, terms: Any, **evaluation: float) -> Findings:
    """The findings at the last step of a hand-made log."""
    watch = Watch(objective.stuck_points, [])
    judge(watch, made_log(terms, {**HEALTHY_EVALUATION, **evaluation}))
    return watch.findings


@pytest.mark.parametrize(("objective", "terms"), [(Gan, healthy_gan), (WganGp, healthy_wgan_gp)])
def test_healthy_logs_have_no_finding(objective: Any, terms: Any) -> None:
    watch = Watch(objective.stuck_points, [])
    lines = judge(watch, made_log(terms, steps=1000))
    assert [line["health"] for line in lines if "health" in line] == [{}] * 10
    assert watch.record() == {"judged_at": 1000, "findings": {}}
    assert health_lines(watch.record()) == ["health: nothing found up to step 1000"]


def test_a_discriminator_at_twice_log_two_is_dead() -> None:
    found = findings(
        Gan, lambda step: {"critic_loss": 2 * math.log(2) + 0.01, "wasserstein": noise(step) / 5}
    )
    assert set(found) == {"dead_critic"}
    assert "wasserstein has stood at" in found["dead_critic"]


def test_a_discriminator_without_any_loss_is_dead() -> None:
    found = findings(Gan, lambda step: {"critic_loss": 0.004, "wasserstein": 14 + noise(step)})
    assert found["dead_critic"].startswith("critic_loss has stood at 0.004")


@pytest.mark.parametrize(("objective", "scale"), [(Wgan, 2e-4), (WganGp, 0.05)])
def test_a_critic_whose_wasserstein_estimate_is_stuck_at_nothing_is_dead(
    objective: Any, scale: float
) -> None:
    assert "dead_critic" in findings(objective, lambda _: {"wasserstein": scale})
    assert findings(objective, lambda _: {"wasserstein": 4 * scale}) == {}


def test_a_critic_is_not_called_dead_for_a_moment_at_the_trivial_value() -> None:
    def terms(step: int) -> JsonObject:
        return {"wasserstein": 0.0 if 320 < step <= 400 else 2.0}

    assert findings(Gan, terms) == {}


def test_weights_at_the_clip_value_are_a_verdict_from_95_in_100_on() -> None:
    assert (
        "98.0% of the critic's weights" in findings(Wgan, lambda _: {}, clipped_share=0.98)["clip_saturation"]
    )
    assert findings(Wgan, lambda _: {}, clipped_share=0.94) == {}


@pytest.mark.parametrize("slope", [0.0, 1.9])
def test_a_gradient_far_from_slope_one_is_a_verdict_on_either_side(slope: float) -> None:
    def terms(_: int) -> JsonObject:
        return {"gradient_penalty": (slope - 1) ** 2}

    assert f"{abs(slope - 1):.2g} away from 1" in findings(WganGp, terms)["gradient_norm"]
    assert findings(WganGp, lambda _: {"gradient_penalty": (1.6 - 1) ** 2}) == {}


@pytest.mark.parametrize(("term", "height"), [("wasserstein", -4e3), ("gradient_penalty", 300), ("l1", 3)])
def test_a_term_that_explodes_is_named_even_when_it_comes_back(term: str, height: float) -> None:
    def terms(step: int) -> JsonObject:
        return {**healthy_wgan_gp(step), term: height if 330 < step <= 350 else 0.2}

    assert f"{term} reached {height:.3g}" in findings(WganGp, terms)["exploding_terms"]


def test_an_explosion_is_seen_before_the_window_is_full() -> None:
    watch = Watch(WganGp.stuck_points, [])
    judge(watch, made_log(lambda step: {"wasserstein": 1e5 * step}, steps=100))
    assert set(watch.findings) == {"exploding_terms"}


def test_outputs_that_hardly_differ_are_a_collapse() -> None:
    assert "differ 12% as much" in findings(Gan, healthy_gan, spread=0.12)["collapse"]
    assert "60% of the outputs" in findings(Gan, healthy_gan, copies=0.6)["collapse"]


def test_a_collapse_must_hold_at_two_evaluations_from_step_200_on() -> None:
    watch = Watch(Gan.stuck_points, [])
    lines = judge(watch, made_log(healthy_gan, {**HEALTHY_EVALUATION, "spread": 0.1}, steps=300))
    assert [set(line["health"]) for line in lines if "health" in line] == [set(), set(), {"collapse"}]


def test_a_loss_that_swings_to_and_fro_oscillates() -> None:
    def terms(step: int) -> JsonObject:
        return {"critic_loss": 1.5, "wasserstein": 2 + 3 * math.sin(step / 12)}

    assert "swings by" in findings(Gan, terms)["oscillation"]


def test_the_leap_with_which_a_run_begins_is_no_oscillation() -> None:
    def terms(step: int) -> JsonObject:
        return {"critic_loss": 1.5, "wasserstein": 2 + 20 * math.exp(-(((step - 20) / 10) ** 2))}

    first = np.array([terms(step)["wasserstein"] for step in range(1, 201)])
    assert swing_of(first.reshape(20, 10).mean(axis=1)) > 0.5
    watch = Watch(Gan.stuck_points, [])
    lines = judge(watch, made_log(terms, steps=600))
    assert [line["health"] for line in lines if "health" in line] == [{}] * 6


def test_an_oscillation_is_found_from_step_300_on() -> None:
    watch = Watch(Gan.stuck_points, [])
    lines = judge(watch, made_log(lambda step: {"wasserstein": 2 + 3 * math.sin(step / 12)}, steps=300))
    assert [set(line["health"]) for line in lines if "health" in line] == [set(), set(), {"oscillation"}]


def test_the_noise_of_a_dead_critic_is_no_oscillation() -> None:
    found = findings(Gan, lambda step: {"critic_loss": 1.386, "wasserstein": 0.1 * math.sin(step / 12)})
    assert set(found) == {"dead_critic"}


def test_a_swing_is_the_deviation_about_the_trend_over_the_size() -> None:
    assert swing_of(np.linspace(30, 2, 20)) == pytest.approx(0)
    about_zero = np.array([1.0, -1.0, -1.0, 1.0] * 5)  # no slope
    assert swing_of(about_zero) == pytest.approx(1)
    assert swing_of(10 + about_zero) == pytest.approx(0.1)


def test_a_critic_to_whom_held_out_faces_look_like_outputs_has_overfitted() -> None:
    found = findings(Gan, healthy_gan, score_train=3.0, score_test=-0.5, score_fake=-2.0)
    assert "have lost 70%" in found["critic_overfitting"]
    assert findings(Gan, healthy_gan, score_train=3.0, score_test=1.0, score_fake=-2.0) == {}


def test_a_record_tells_of_findings_past_and_present() -> None:
    watch = Watch(Gan.stuck_points, [])

    def terms(step: int) -> JsonObject:
        return {"critic_loss": 1.2, "wasserstein": 0.01 if step <= 350 else 4.0}

    judge(watch, made_log(terms, steps=500))
    record = watch.record()
    assert record["judged_at"] == 500
    assert (
        record["findings"]["dead_critic"]["first_step"],
        record["findings"]["dead_critic"]["last_step"],
    ) == (
        200,
        400,
    )
    assert health_lines(record)[0].startswith("health: dead_critic from step 200 to 400, no longer: ")
    assert json.loads(json.dumps(record)) == record


def test_verdicts_after_a_restart_are_those_of_an_unbroken_run() -> None:
    def terms(step: int) -> JsonObject:
        return {"critic_loss": 1.2, "wasserstein": 1.0 if step < 140 else 0.0}

    log = list(made_log(terms, {**HEALTHY_EVALUATION, "spread": 0.1}, steps=600))
    unbroken = Watch(Gan.stuck_points, [])
    lines = judge(unbroken, iter(log))
    for cut in (1, 250, 300, 399, 599):
        continued = Watch(Gan.stuck_points, lines[:cut])
        assert judge(continued, iter(log[cut:])) == lines[cut:]
        assert continued.record() == unbroken.record()


def test_a_short_run_is_not_called_healthy() -> None:
    watch = Watch(Gan.stuck_points, [])
    judge(watch, made_log(healthy_gan, steps=100))
    assert "too short to judge" in health_lines(watch.record())[0]


def test_the_clipped_share_counts_all_parameters() -> None:
    critic = nn.Linear(3, 2)
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[0.01, -0.01, 0.005], [0.0, 0.01, -0.0099]]))
        critic.bias.copy_(torch.tensor([0.01, 0.0]))
    assert clipped_share(critic, 0.01) == 4 / 8
    assert Wgan(name="wgan", gamma=0.9).critic_figures(critic) == {"clipped_share": 4 / 8}


def test_scores_are_those_of_a_critic_that_stays_as_it_is() -> None:
    state, dataset = build_state(small_experiment("wgan", "dcgan"), CPU), small_dataset()
    faces = choose_test_faces(dataset, 8)
    before = {name: value.clone() for name, value in state.critic.state_dict().items()}
    figures = symptoms(state, faces.labels[::-1].copy(), faces.train, faces.labels)
    assert all(torch.equal(before[name], value) for name, value in state.critic.state_dict().items())
    images = torch.from_numpy(faces.labels).permute(0, 3, 1, 2) / 127.5 - 1
    expected = state.critic(images).mean().item()  # in training mode: the batch's own statistics
    assert figures["score_test"] == pytest.approx(expected, rel=1e-4)
    assert figures["score_fake"] == pytest.approx(expected, rel=1e-4)  # the same faces in another order
    assert figures["score_train"] != pytest.approx(expected, rel=1e-4)
    assert figures["spread"] == pytest.approx(1)
    assert figures["clipped_share"] > 0.5  # N(0, 0.02) beyond 0.01


def test_equal_outputs_have_no_spread() -> None:
    state, faces = (
        build_state(small_experiment("pixel", "residual"), CPU),
        choose_test_faces(small_dataset(), 8),
    )
    same = np.repeat(faces.labels[:1], 8, axis=0)
    assert symptoms(state, same, faces.train, faces.labels) == {"spread": 0, "copies": 1}


@pytest.mark.long
def test_a_finding_ends_a_run_without_a_request_to_stop(tmp_path: Path) -> None:
    experiment = small_experiment("wgan", "mlp", steps=230, evaluate_every=100, on_unhealthy="stop")
    run = create_run(tmp_path / "run", experiment.to_yaml(), {})
    state, stop = build_state(experiment, CPU), StopRequest()
    with torch.no_grad():
        for weights in state.critic.parameters():
            weights.zero_()  # and clipping at 0.01 with a learning rate of 0 leaves it so
    state.experiment = Experiment.model_validate(
        {**experiment.model_dump(), "optimizer": {"name": "rmsprop", "learning_rate": 1e-30}}
    )
    with pytest.raises(UnhealthyRunError, match="is unhealthy: dead_critic; stopped after step 200"):
        train(run, state, small_dataset(), lambda _: None, stop)
    assert not stop.requested
    assert actual_state(run) == "was stopped as unhealthy at step 200"


def trained(
    srcli: Srcli, tmp_path: Path, experiment: Experiment, *settings: str
) -> tuple[RunDirectory, subprocess.CompletedProcess[str]]:
    file, run = tmp_path / "mine.yaml", tmp_path / "run"
    file.write_text(experiment.to_yaml())
    overrides = [part for setting in settings for part in ("--set", setting)]
    return RunDirectory(run), srcli("train", file, "--data", pack_faces(tmp_path), "--out", run, *overrides)


def test_a_run_made_ill_is_stopped_with_a_checkpoint_and_goes_on_when_told_to(
    tmp_path: Path, srcli: Srcli
) -> None:
    experiment = small_experiment("wgan", "mlp", steps=204, **RARELY)
    ill = ("objective.clip_value=1e-6", "objective.n_critic=1", "training.batch_size=2")
    run, done = trained(srcli, tmp_path, experiment, *ill, "training.on_unhealthy=stop")
    assert (done.returncode, done.stdout) == (3, "")
    error = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(error) == 1
    assert "dead_critic" in error[0]
    assert "--set training.on_unhealthy=warn" in error[0]
    stopped_at = run.checkpoint_steps()[-1]
    assert stopped_at == 200
    assert (run.record()["status"], run.record()["step"]) == ("unhealthy", stopped_at)
    assert actual_state(run) == "was stopped as unhealthy at step 200"
    again = srcli("train", "--resume", run.path, "--set", "training.on_unhealthy=warn")
    assert again.returncode == 0
    assert "unhealthy: dead_critic since step 200" in again.stderr
    record = run.record()
    assert (record["status"], record["health"]["judged_at"]) == ("finished", 204)
    assert record["health"]["findings"]["dead_critic"]["last_step"] == 204
    log = read_log(run.metrics_file)
    assert [entry["step"] for entry in log] == list(range(1, 205))
    assert "dead_critic" in log[199]["health"]
    assert str(describe_health(run.record())).startswith("dead_critic since step 200")


def test_a_healthy_run_is_called_so(tmp_path: Path, srcli: Srcli) -> None:
    experiment = small_experiment("gan", "residual", steps=200, **RARELY)
    run, done = trained(srcli, tmp_path, experiment, "training.on_unhealthy=stop")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    assert done.stderr.splitlines()[-1] == "health: nothing found up to step 200"
    assert run.record()["health"] == {"judged_at": 200, "findings": {}}
    assert describe_health(run.record()) == "nothing found up to step 200"


def test_train_and_compare_say_the_same_of_a_run_too_short_to_judge_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, srcli: Srcli
) -> None:
    run, done = trained(srcli, tmp_path, small_experiment(steps=3))
    assert done.returncode == 0, done.stderr
    said = "too short to judge by, the rules want 200 steps and an evaluation"
    assert done.stderr.splitlines()[-1] == f"health: {said}"
    monkeypatch.setenv("COLUMNS", "200")  # so that no line of the table is broken
    compared = srcli("compare", run.path, "--data", tmp_path / "dataset", "--out", tmp_path / "compared")
    assert compared.returncode == 0, compared.stderr
    assert f" {said} " in compared.stderr
    record = json.loads((tmp_path / "compared" / "metrics.json").read_text())
    assert record["enlarged"][2]["model"]["health"] == said


def test_a_run_that_ended_before_an_evaluation_is_too_short_to_judge_by(tmp_path: Path) -> None:
    health = Watch(Gan.stuck_points, []).record()
    run = create_run(tmp_path / "run", "", {"health": health})
    said = "too short to judge by, the rules want 200 steps and an evaluation"
    assert (health_lines(health), describe_health(run.record())) == ([f"health: {said}"], said)


def test_every_rule_is_documented() -> None:
    page = (PRESETS.parent / "docs" / "health.md").read_text(encoding="utf-8")
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert [rule.name for rule in RULES] == headings[:7]
