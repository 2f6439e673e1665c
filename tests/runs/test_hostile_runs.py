"""Untrusted runs: pipes in place of files, and logs with crafted entries."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_experiments import pack_faces, small_experiment
from warm import Srcli

from srcli.drawn_faces.faces import built_in_dataset
from srcli.health.rules import RULES, Watch, health_lines
from srcli.objectives import WganGp
from srcli.runs.checkpoints import GENERATOR_FILE, RESUME_FILE
from srcli.runs.directory import RunDirectory, create_run
from srcli.runs.lock import actual_state
from srcli.training.sessions import start_run
from srcli.training.state import restore_state


@pytest.mark.parametrize(
    ("name", "arguments", "line"),
    [
        ("run/metrics.jsonl", ["plot-curves", "run", "--terminal"], "run/metrics.jsonl cannot be read"),
        ("run/metrics.jsonl", ["train", "--resume", "run"], "run/metrics.jsonl cannot be read"),
        ("model.onnx", ["compare", "model.onnx", "--out", "out"], "model.onnx cannot be read"),
        (
            "a.safetensors",
            ["compare", "a.safetensors", "--out", "out"],
            "a.safetensors cannot be read as weights",
        ),
    ],
)
def test_a_pipe_in_place_of_a_file_does_not_block(
    name: str, arguments: list[str], line: str, tmp_path: Path, srcli: Srcli
) -> None:
    run = create_run(tmp_path / "run", small_experiment().to_yaml(), {"status": "running", "dataset": {}})
    if "train" in arguments:
        run.update_record(dataset={"fingerprint": built_in_dataset().fingerprint})
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    done = srcli(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"error: {line}: ")
    assert "it is not a regular file" in done.stderr


@pytest.mark.parametrize("name", [GENERATOR_FILE, RESUME_FILE])
def test_a_pipe_in_a_checkpoint_is_passed_over(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = small_experiment(steps=2, checkpoint_every=1)
    start_run(experiment, [pack_faces(tmp_path)], tmp_path / "run", torch.device("cpu"), ["srcli"])
    run = RunDirectory(tmp_path / "run")
    (run.checkpoint(2) / name).unlink()
    os.mkfifo(run.checkpoint(2) / name)
    assert restore_state(run, experiment, torch.device("cpu")).step == 1
    assert f"{name} is damaged: it is not a regular file" in capsys.readouterr().err


def test_a_pipe_as_a_lock_does_not_block(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", "", {"status": "running"})
    os.mkfifo(run.path / "lock")
    assert actual_state(run) in ("was killed while it trained", "is still training")


@pytest.mark.parametrize(
    "crafted",
    [
        {"wasserstein": "7"},
        {"wasserstein": [1, 2]},
        {"wasserstein": 1.7e308, "gradient_penalty": 1.7e308, "critic_loss": -1.7e308},
        {"wasserstein": 10**400, "l1": True},
        {"wasserstein": math.nan, "gradient_penalty": -4.0, "l1": math.inf},
        {"health": "ill", "score_train": {}, "score_test": None, "score_fake": "x"},
        {"health": {"dead_critic": 3, "unheard of": "text", "collapse": "outputs are the same"}},
        {"health": {}, "score_train": 5e-324, "score_test": -3e38, "score_fake": 0.0, "spread": 1e300},
    ],
    ids=lambda crafted: "-".join(crafted),
)
def test_crafted_logs_do_not_harm_the_health_watch(crafted: dict[str, Any]) -> None:
    log = [{"step": step, **crafted} for step in range(1, 451)]
    watch = Watch(WganGp.stuck_points, json.loads(json.dumps(log)))
    scores = {"score_train": 3.0, "score_test": 2.8, "score_fake": -2.0}
    entries = [{"step": step, "wasserstein": 3.0 + step % 2, **scores} for step in range(451, 471)]
    lines = [watch.judge(entry, evaluated=entry["step"] % 10 == 0) for entry in entries]
    assert all(health_lines(watch.record()))
    names = {rule.name for rule in RULES}
    assert lines[-1]["health"].keys() <= names
    found = watch.record()["findings"]
    assert found.keys() <= names
    if "collapse" in (crafted.get("health") or ""):
        assert found["collapse"]["text"] == "outputs are the same"
