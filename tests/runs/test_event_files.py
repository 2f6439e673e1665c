"""Event files, read back with TensorBoard's own reader."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_experiments import pack_faces, small_experiment
from warm import COMMAND, Srcli

from srcli.runs.directory import RunDirectory, create_run
from srcli.runs.event_files import EventFile
from srcli.runs.log import read_log

STARTED = datetime(2026, 1, 2, tzinfo=UTC)
ALL = {"scalars": 0, "images": 0, "tensors": 0}


def entry(step: int, **evaluation: Any) -> dict[str, Any]:
    return {
        "step": step,
        "seconds": 2.0 * step,
        "critic_loss": -step / 8,
        "images_per_second": 64.0,
        **evaluation,
    }


COLLAPSED = {"collapse": "outputs differ 3% as much as real faces do"}
LOG = [
    entry(1),
    entry(2, psnr=20.5, health={}),
    entry(3),
    entry(4, psnr=21.5, health=COLLAPSED),
    entry(5, psnr=22.5, health={"collapse": "outputs differ 2% as much as real faces do"}),
]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run with a sample at step 4, and one at step 6 that its log has not reached."""
    run = create_run(tmp_path / "run", "", {"status": "running", "started": STARTED.isoformat()})
    run.metrics_file.write_text("".join(json.dumps(one) + "\n" for one in LOG))
    for step in (4, 6):
        Image.new("RGB", (30, 20), "red").save(run.sample(step))
    return run


def read_events(run: Path) -> EventAccumulator:
    return EventAccumulator(str(run / "tensorboard"), ALL).Reload()


def scalars(events: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in events.Scalars(tag)]


def test_the_numbers_of_a_log_are_scalars_at_their_steps_and_times(run: RunDirectory) -> None:
    EventFile(run)
    events = read_events(run.path)
    assert scalars(events, "training/critic_loss") == [(step, -step / 8) for step in range(1, 6)]
    assert scalars(events, "evaluation/psnr") == [(2, 20.5), (4, 21.5), (5, 22.5)]
    times = [event.wall_time - STARTED.timestamp() for event in events.Scalars("training/critic_loss")]
    assert times == [2, 4, 6, 8, 10]
    assert not {"training/step", "training/seconds"} & set(events.Tags()["scalars"])


def test_health_is_a_curve_for_each_rule_and_a_text_when_it_changes(run: RunDirectory) -> None:
    EventFile(run)
    events = read_events(run.path)
    assert scalars(events, "health/collapse") == [(2, 0), (4, 1), (5, 1)]
    assert scalars(events, "health/oscillation") == [(2, 0), (4, 0), (5, 0)]
    texts = [(event.step, event.tensor_proto.string_val[0].decode()) for event in events.Tensors("health")]
    assert texts == [(2, "nothing found"), (4, f"**collapse**: {COLLAPSED['collapse']}")]


def test_samples_are_the_files_of_logged_steps(run: RunDirectory) -> None:
    EventFile(run)
    (picture,) = read_events(run.path).Images("samples")
    assert (picture.step, picture.width, picture.height) == (4, 30, 20)
    assert picture.encoded_image_string == run.sample(4).read_bytes()


def test_a_damaged_sample_is_named_and_left_out(
    run: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    run.sample(4).write_bytes(run.sample(4).read_bytes()[:60])
    EventFile(run)
    assert str(run.sample(4)) in capsys.readouterr().err
    events = read_events(run.path)
    assert events.Tags()["images"] == []
    assert len(events.Scalars("training/critic_loss")) == 5


def test_a_strangers_log_is_taken_for_what_it_holds(run: RunDirectory) -> None:
    strange = {"\ud800": 1.5, "l1": "0.5", "psnr": True, "wasserstein": 1e300, "health": {"\ud800": [1]}}
    run.record_file.write_text(json.dumps({"started": "yesterday"}))
    run.metrics_file.write_text(json.dumps({"step": 3, "seconds": "long", **strange}))
    EventFile(run)
    events = read_events(run.path)
    assert [tag for tag in events.Tags()["scalars"] if tag.startswith("training")] == ["training/?"]
    (event,) = events.Scalars("training/?")
    assert (event.step, event.value, event.wall_time) == (3, 1.5, 0.0)


def test_entries_appended_and_a_log_converted_give_the_same_file(run: RunDirectory) -> None:
    lines = run.metrics_file.read_text().splitlines(keepends=True)
    run.metrics_file.write_text("".join(lines[:2]))
    growing = EventFile(run)
    run.metrics_file.write_text("".join(lines))
    growing.append(LOG[2:4])
    growing.append(LOG[4:])
    (appended,) = growing.folder.iterdir()
    content, modified = appended.read_bytes(), appended.stat().st_mtime_ns
    EventFile(run)
    assert list(growing.folder.iterdir()) == [appended]
    assert (appended.read_bytes(), appended.stat().st_mtime_ns) == (content, modified)


def test_a_file_that_was_converted_meanwhile_is_not_appended_to_twice(run: RunDirectory) -> None:
    text = run.metrics_file.read_text()
    run.metrics_file.write_text("".join(text.splitlines(keepends=True)[:3]))
    growing = EventFile(run)
    run.metrics_file.write_text(text)
    EventFile(run)
    growing.append(LOG[3:])
    assert [step for step, _ in scalars(read_events(run.path), "training/critic_loss")] == [1, 2, 3, 4, 5]


def test_a_run_taken_back_to_its_checkpoint_shows_each_step_once(tmp_path: Path, srcli: Srcli) -> None:
    experiment, run = tmp_path / "mine.yaml", tmp_path / "run"
    experiment.write_text(small_experiment(steps=6).to_yaml())
    done = srcli("train", experiment, "--data", pack_faces(tmp_path), "--out", run, "--tensorboard")
    assert done.returncode == 0, done.stderr
    assert [step for step, _ in scalars(read_events(run), "training/l1")] == [1, 2, 3, 4, 5, 6]
    shutil.rmtree(run / "checkpoints" / "step-000006")
    done = srcli("train", "--resume", run, "--set", "training.steps=9")
    assert done.returncode == 0, done.stderr
    log, events = read_log(run / "metrics.jsonl"), read_events(run)
    for name in ("l1", "generator_loss", "images_per_second"):
        expected = [(one["step"], pytest.approx(one[name], rel=1e-6)) for one in log]
        assert scalars(events, f"training/{name}") == expected
    assert [step for step, _ in scalars(events, "evaluation/psnr")] == [3, 6, 9]
    assert "training/psnr" not in events.Tags()["scalars"]
    assert [event.step for event in events.Images("samples")] == [3, 6, 9]


def test_the_command_converts_runs_and_names_their_folders(run: RunDirectory, srcli: Srcli) -> None:
    done = srcli("tensorboard", run.path)
    assert (done.returncode, done.stdout) == (0, f"{run.path / 'tensorboard'}\n")
    assert len(read_events(run.path).Scalars("training/critic_loss")) == 5
    done = srcli("tensorboard", run.path, run.path.parent / "other")
    assert done.returncode == 1
    assert f"{run.path.parent / 'other'} is not a run" in done.stderr


def test_without_tensorboard_one_line_says_how_to_install_it(run: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "missing").mkdir()
    (tmp_path / "missing" / "tensorboard.py").write_text("raise ImportError")
    paths = [str(tmp_path / "missing"), *filter(None, [os.environ.get("PYTHONPATH")])]
    for arguments in (["tensorboard", str(run.path)], ["train", "--preset", "smoke", "--tensorboard"]):
        done = subprocess.run(
            [*COMMAND, *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert 'pip install "srcli[tensorboard]"' in line
