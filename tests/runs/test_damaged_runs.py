"""Damaged runs: what is skipped, repaired and reported."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_experiments import logged_without_clock, pack_faces, small_dataset, small_experiment

from srcli.comparison.compare import load_models
from srcli.errors import CheckpointError, InterruptedRunError, RunError
from srcli.generators.on_torch import load_torch_generator
from srcli.runs.directory import RunDirectory, create_run
from srcli.runs.lock import actual_state, locked
from srcli.runs.log import cut_log, read_log
from srcli.runs.status import RunStatus
from srcli.training.loop import StopRequest, train
from srcli.training.sessions import recording_failure, resume_run, start_run
from srcli.training.state import restore_state
from srcli.training.step import Terms

CPU = torch.device("cpu")
EXPERIMENT = small_experiment("wgan-gp", "mlp")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_faces(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run of six steps, interrupted after the fifth, with checkpoints at steps 3 and 5."""
    run = new_run(tmp_path_factory.mktemp("interrupted") / "run")
    with pytest.raises(InterruptedRunError):
        go_on(run, stop_after=5)
    assert run.checkpoint_steps() == [3, 5]
    return run


@pytest.fixture
def run(interrupted: RunDirectory, tmp_path: Path) -> RunDirectory:
    """A copy of the interrupted run, to be damaged."""
    return RunDirectory(shutil.copytree(interrupted.path, tmp_path / "run"))


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The same run without an interruption."""
    run = new_run(tmp_path_factory.mktemp("unharmed") / "run")
    go_on(run)
    return run


def new_run(path: Path) -> RunDirectory:
    return create_run(path, EXPERIMENT.to_yaml(), {"status": "running", "step": 0})


def go_on(
    run: RunDirectory, stop_after: int | None = None, report: Callable[[Terms], None] = lambda _: None
) -> None:
    """Resumes a run, as `--resume` does."""
    state = restore_state(run, EXPERIMENT, CPU)
    cut_log(run.metrics_file, state.step)
    stop = StopRequest()

    def report_and_stop(entry: Terms) -> None:
        report(entry)
        stop.requested = entry["step"] == stop_after

    with locked(run), recording_failure(run, state):
        train(run, state, small_dataset(), report_and_stop, stop)


def assert_same_end(run: RunDirectory, unharmed: RunDirectory) -> None:
    assert logged_without_clock(run) == logged_without_clock(unharmed)
    for file in unharmed.checkpoint(6).iterdir():
        assert file.read_bytes() == (run.checkpoint(6) / file.name).read_bytes(), file.name


def change_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1000] ^= 1
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a changed byte": lambda folder: change_a_byte(folder / "critic.safetensors"),
    "a file cut short": lambda folder: os.truncate(folder / "resume.safetensors", 1000),
    "a missing file": lambda folder: (folder / "generator.safetensors").unlink(),
    "an empty list of checksums": lambda folder: (folder / "SHA256SUMS").write_text(""),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_checkpoint_is_passed_over_and_named(
    run: RunDirectory, unharmed: RunDirectory, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    DAMAGES[damage](run.checkpoint(5))
    with pytest.raises(InterruptedRunError):
        go_on(run, stop_after=4)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"warning: {run.checkpoint(5)}")
    assert line.endswith("; taking the checkpoint of step 3")
    assert run.checkpoint_steps() == [3, 4]
    go_on(run)
    assert_same_end(run, unharmed)


def test_a_damaged_checkpoint_of_the_same_step_is_rewritten(
    run: RunDirectory, unharmed: RunDirectory
) -> None:
    change_a_byte(run.checkpoint(5) / "resume.safetensors")
    with pytest.raises(InterruptedRunError):
        go_on(run, stop_after=5)
    assert restore_state(run, EXPERIMENT, CPU).step == 5
    go_on(run)
    assert_same_end(run, unharmed)


def test_without_a_whole_checkpoint_there_is_one_error(run: RunDirectory) -> None:
    for step in (3, 5):
        change_a_byte(run.checkpoint(step) / "critic.safetensors")
    with pytest.raises(CheckpointError, match=r"none of the 2 checkpoints .*step-000005/critic") as caught:
        go_on(run)
    assert len(str(caught.value).splitlines()) == 1


def test_enlarging_passes_over_a_damaged_generator(
    run: RunDirectory, capfd: pytest.CaptureFixture[str]
) -> None:
    change_a_byte(run.checkpoint(5) / "critic.safetensors")
    assert load_torch_generator(run.path).description.step == 5
    change_a_byte(run.checkpoint(5) / "generator.safetensors")
    assert load_torch_generator(run.path).description.step == 3
    assert "generator.safetensors is damaged" in capfd.readouterr().err
    with pytest.raises(CheckpointError, match="is damaged"):
        load_torch_generator(run.checkpoint(5))


def test_checksums_are_in_sha256sums_format(run: RunDirectory) -> None:
    lines = (run.checkpoint(5) / "SHA256SUMS").read_text().splitlines()
    expected = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in run.checkpoint(5).iterdir()
    }
    assert [line.split("  ")[1] for line in lines] == [
        "critic.safetensors",
        "generator.safetensors",
        "resume.safetensors",
    ]
    assert all(expected[name] == checksum for checksum, name in (line.split("  ") for line in lines))


def test_a_checkpoint_without_checksums_is_damaged(run: RunDirectory, unharmed: RunDirectory) -> None:
    (run.checkpoint(5) / "SHA256SUMS").unlink()
    with pytest.raises(CheckpointError, match=r"step-000005 is damaged: it has no SHA256SUMS"):
        load_torch_generator(run.checkpoint(5))
    assert load_torch_generator(run.path).description.step == 3
    go_on(run)
    assert_same_end(run, unharmed)


LOGS: dict[str, Callable[[bytes], bytes]] = {
    "half a line more": lambda log: log + log[:40],
    "zeros after a power loss": lambda log: log + bytes(512),
    "no last newline": lambda log: log[:-1],
    "behind the checkpoint": lambda log: b"".join(log.splitlines(keepends=True)[:4]),
    "a line twice": lambda log: log + log.splitlines(keepends=True)[-1],
    "a damaged line": lambda log: log.replace(b'{"step": 4,', b'{"step: 4,'),
}


@pytest.mark.parametrize("harm", LOGS)
def test_the_log_of_a_continued_run_has_each_step_once(
    run: RunDirectory, unharmed: RunDirectory, harm: str
) -> None:
    run.metrics_file.write_bytes(LOGS[harm](run.metrics_file.read_bytes()))
    go_on(run)
    assert_same_end(run, unharmed)


def test_a_lost_log_is_reported_and_costs_no_training(
    run: RunDirectory, capfd: pytest.CaptureFixture[str]
) -> None:
    run.metrics_file.unlink()
    go_on(run)
    assert capfd.readouterr().err == f"warning: {run.metrics_file} lacks steps 1 to 5\n"
    assert [entry["step"] for entry in read_log(run.metrics_file)] == [6]


def test_an_entry_that_does_not_fit_on_the_disk_leaves_no_half_line(tmp_path: Path) -> None:
    script = """
import resource
from pathlib import Path
from srcli.runs.directory import RunDirectory
from srcli.runs.log import RunLog
resource.setrlimit(resource.RLIMIT_FSIZE, (110, 110))
log = RunLog(RunDirectory(Path()))
for step in range(1, 9):
    log.write({"step": step, "l1": 0.125})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr.splitlines()[-1] == "OSError: [Errno 27] File too large: 'metrics.jsonl'"
    lines = [f'{{"step": {step}, "l1": 0.125}}\n' for step in (1, 2, 3, 4)]  # of 25 bytes each
    assert (tmp_path / "metrics.jsonl").read_text() == "".join(lines)


def test_leftovers_of_killed_writes_are_removed_and_checkpoints_bounded(data: Path, tmp_path: Path) -> None:
    start_run(small_experiment(steps=4), [data], tmp_path / "run", CPU, ["srcli"])
    run = RunDirectory(tmp_path / "run")
    (run.checkpoints / ".step-000004.abc.part").mkdir()
    (run.checkpoints / ".step-000004.abc.part" / "generator.safetensors").write_bytes(b"half")
    (run.path / ".run.json.abc.part").write_bytes(b"{")
    shutil.copytree(run.checkpoint(3), run.checkpoint(2))
    resume_run(run.path, ["training.steps=5"], [data], CPU)
    assert list(run.path.rglob("*.part")) == []
    assert run.checkpoint_steps() == [4, 5]


def test_a_run_killed_after_its_last_checkpoint_is_recorded_as_finished(data: Path, tmp_path: Path) -> None:
    start_run(small_experiment(steps=2), [data], tmp_path / "run", CPU, ["srcli"])
    run = RunDirectory(tmp_path / "run")
    run.update_record(status="running", step=0)
    assert actual_state(run) == "was killed while it trained"
    resume_run(run.path, [], [data], CPU)
    assert (run.record()["status"], run.record()["step"]) == ("finished", 2)
    with pytest.raises(RunError, match="has already done its 2 steps"):
        resume_run(run.path, [], [data], CPU)


def test_the_steps_of_a_schedule_change_only_where_the_learning_rate_does_not_jump(
    data: Path, tmp_path: Path
) -> None:
    start_run(small_experiment("pixel", "residual", steps=4), [data], tmp_path / "run", CPU, ["srcli"])
    run = RunDirectory(tmp_path / "run")
    before = run.experiment_file.read_bytes()
    begin = "For a new run that begins with its generator: --set training.init_from="
    with pytest.raises(RunError, match="has already done its 4 steps") as caught:
        resume_run(run.path, [], [data], CPU)
    assert caught.value.hint == f"{begin}{run.path}."
    # 0.001 (1 + cos(pi 4/8)) / 2 = 0.0005, and at step 3: 0.000146 of 4 steps, 0.000691 of 8.
    jump = r"has a cosine schedule over 4 steps: with training\.steps=8 its learning rate would jump from"
    with pytest.raises(RunError, match=f"{jump} 0 to 0.0005 after step 4") as caught:
        resume_run(run.path, ["training.steps=8"], [data], CPU)
    assert caught.value.hint == f"{begin}{run.path}."
    shutil.rmtree(run.checkpoint(4))
    with pytest.raises(RunError, match=f"{jump} 0.000146 to 0.000691 after step 3"):
        resume_run(run.path, ["training.steps=8"], [data], CPU)
    assert run.experiment_file.read_bytes() == before
    shutil.rmtree(run.checkpoint(3))  # without a checkpoint it begins anew, at the whole rate
    resume_run(run.path, ["training.steps=5"], [data], CPU)
    assert run.record()["step"] == 5


def test_a_warm_start_appears_with_its_first_checkpoint_or_not_at_all(data: Path, tmp_path: Path) -> None:
    start_run(small_experiment(steps=1), [data], tmp_path / "first", CPU, ["srcli"])
    warm = small_experiment(steps=1, init_from=str(tmp_path / "first"))
    start_run(warm, [data], tmp_path / "warm", CPU, ["srcli"])
    run = RunDirectory(tmp_path / "warm")
    assert run.checkpoint_steps() == [0, 1]
    for step in (0, 1):
        shutil.rmtree(run.checkpoint(step))
    with pytest.raises(CheckpointError, match="has lost its first checkpoint"):
        resume_run(run.path, [], [data], CPU)


def test_a_run_moved_while_it_trains_stays_in_one_piece(unharmed: RunDirectory, tmp_path: Path) -> None:
    run, moved = new_run(tmp_path / "run"), RunDirectory(tmp_path / "moved")

    def move(entry: Terms) -> None:
        if entry["step"] == 4:
            run.path.rename(moved.path)

    with pytest.raises(RunError, match="was moved or removed while it trained"):
        go_on(run, report=move)
    assert not run.path.exists()
    assert actual_state(moved) == "was killed while it trained"
    go_on(moved)
    assert_same_end(moved, unharmed)


def test_a_failed_run_says_why_until_it_goes_on(run: RunDirectory) -> None:
    state = restore_state(run, EXPERIMENT, CPU)
    run.update_record(status="running")
    with pytest.raises(OSError, match="No space"), recording_failure(run, state):
        raise OSError(28, "No space left on device", "metrics.jsonl")
    assert actual_state(run) == "failed: [Errno 28] No space left on device: 'metrics.jsonl'"
    go_on(run)
    assert "reason" not in run.record()
    assert actual_state(run) == ""


def test_a_comparison_reports_a_runs_status(run: RunDirectory, capfd: pytest.CaptureFixture[str]) -> None:
    run.update_record(status="running")
    with locked(run):
        load_models([str(run.path)], "cpu")
    load_models([str(run.path)], "cpu")
    assert capfd.readouterr().err.splitlines() == [
        f"{run.path} is still training; compared at step 5",
        f"{run.path} was killed while it trained; compared at step 5",
    ]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (RunStatus.RUNNING, "was killed while it trained"),
        (RunStatus.FINISHED, ""),
        (RunStatus.INTERRUPTED, "was interrupted before its last step"),
        (RunStatus.DIVERGED, "diverged at step 7"),
        (RunStatus.UNHEALTHY, "was stopped as unhealthy at step 7"),
        (RunStatus.FAILED, "failed: no room"),
    ],
)
def test_every_status_except_finished_is_reported(status: RunStatus, state: str, run: RunDirectory) -> None:
    run.update_record(status=status, step=7, reason="no room")
    assert json.loads(run.record_file.read_text())["status"] == status.value
    assert actual_state(run) == state  # without a lock, nobody holds it
