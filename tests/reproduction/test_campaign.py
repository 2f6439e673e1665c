"""Campaigns from start to report: killed, distributed, failing, with other settings."""

import time
from pathlib import Path

import pytest
from tiny_experiments import pack_faces
from warm import Srcli

from srcli.errors import UserError
from srcli.reproduction.records import read_records
from srcli.reproduction.sessions import reproduce_plan

PLAN = """
name: tiny
title: Two runs of eight steps
settings: {training.batch_size: 4, training.evaluate_every: 4, training.evaluate_faces: 8,
           training.sample_every: 8, training.checkpoint_every: 2, training.keep_checkpoints: 1}
parts:
  - part: grid
    figures: "3 e-g"
    presets: [mlp-gan, mlp-wgangp]
    seeds: 1
    steps: 8
    settings: {generator.width: 8, critic.width: 8}
claims:
  follows: {burn_in: 2, weak: 0.3}
  stable: {below_nearest: 2.0, least_spread: 0.5, most_duplicates: 0.1}
  collapse: {most_duplicates: 0.1, least_recall: 0.2}
  batch_norm: {most_loss: 1.0}
  gamma: {present: 0.1}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(PLAN)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return pack_faces(tmp_path, faces=80)


def reproduce(
    plan: Path, data: Path, out: Path, *records: Path, report: bool = False
) -> tuple[Path | None, int]:
    return reproduce_plan(str(plan), [data], out, 2, records, only_report=report)


@pytest.mark.long
def test_a_campaign_that_is_killed_and_started_again_ends_with_the_same_verdicts(
    plan: Path, data: Path, tmp_path: Path, srcli: Srcli
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert reproduce(plan, data, whole) == (whole / "report.html", 0)

    # As many jobs as above: they decide the threads of a run, and those how its sums are rounded.
    command = ("reproduce", plan, "--data", data, "--out", killed, "--jobs", "2")
    # The other run's training, which outlives the campaign, may not have made its folder yet.
    log = killed / "runs" / "mlp-gan-s0" / "metrics.jsonl"
    with srcli.start(*command) as process:
        while not log.exists() and process.poll() is None:
            time.sleep(0.02)
    assert not (killed / "report.html").exists()
    assert reproduce(plan, data, killed) == (killed / "report.html", 0)
    assert (killed / "verdicts.json").read_bytes() == (whole / "verdicts.json").read_bytes()

    again = tmp_path / "again"
    assert reproduce(plan, data, again, whole, report=True) == (again / "report.html", 0)
    assert (again / "verdicts.json").read_bytes() == (whole / "verdicts.json").read_bytes()
    assert not (again / "runs").exists()

    plan.write_text(PLAN.replace("generator.width: 8", "generator.width: 9"))
    (whole / "records" / "mlp-gan-s0" / "record.json").unlink()
    with pytest.raises(UserError, match=r"trained with other settings: generator.width: 8 -> 9\. Give"):
        reproduce(plan, data, whole)


@pytest.mark.long
def test_ranks_share_out_the_runs_and_one_that_fails_is_a_result(
    plan: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert reproduce(plan, data, out) == (None, 0)
    assert [record.name for record in read_records(out / "records")] == ["mlp-wgangp-s0"]
    monkeypatch.setenv("RANK", "0")
    plan.write_text(PLAN.replace("training.batch_size: 4", "training.batch_size: 100000"))
    failing = tmp_path / "failing"
    capsys.readouterr()
    assert reproduce(plan, data, failing, out) == (failing / "report.html", 1)
    assert "1 of 2 runs are done\n" in capsys.readouterr().err
    (record,) = read_records(failing / "records")
    assert (record.name, record.status, record.step) == ("mlp-gan-s0", "failed", 0)
    assert "fewer than one batch of 100000" in record.reason


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("smal", [], r"there is no plan called 'smal'\. Did you mean small\?"),
        ("wgan", [Path()], r"this plan trains on no faces\. Leave out --data\."),
        ("small", [Path("nowhere")], "nowhere"),
    ],
)
def test_mistakes_are_told_before_anything_is_made(
    name: str, data: list[Path], line: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=line):
        reproduce_plan(name, data, tmp_path / "out", 1, [], only_report=False)
    assert not (tmp_path / "out").exists()
