"""Distributed training: the losses of one process, messages from one rank, a common stop and end."""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rank_program import CASES, CPU, STEPS, losses, normalize
from tiny_experiments import pack_faces, small_dataset, small_experiment

from srcli.errors import ExperimentError, LostProcessError, UserError
from srcli.processes import Share
from srcli.runs.directory import RunDirectory, create_run
from srcli.runs.lock import actual_state
from srcli.runs.log import read_log
from srcli.training.loop import training_batches
from srcli.training.replicas import SINGLE_PROCESS, Replicas, joining
from srcli.training.sessions import recording_failure
from srcli.training.state import build_state

Results = list[dict[str, Any]]


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Results]:
    """The results of each rank of two and of four processes, which pytest's workers share."""
    temporary = tmp_path_factory.getbasetemp()
    folder = (temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary) / "ranks"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _run_ranks(folder)
            (folder / "done").touch()
    return {
        count: [json.loads((folder / f"{count}/rank-{rank}.json").read_text()) for rank in range(count)]
        for count in (2, 4)
    }


def _run_ranks(folder: Path) -> None:
    program = Path(__file__).with_name("rank_program.py")
    paths = os.pathsep.join((str(program.parents[1]), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, program, folder, "2", "4"]
    done = subprocess.run(command, timeout=300, env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("case", CASES)
def test_several_processes_have_the_losses_of_one(case: str, count: int, ranks: dict[int, Results]) -> None:
    expected, figures, _ = losses(case)
    found, found_figures, _ = ranks[count][0]["losses"][case]
    for step in range(STEPS):
        assert found[step] == pytest.approx(expected[step], rel=1e-6, abs=1e-8), step + 1
    # Of outputs in 8 bits, to one of which another rounding may come.
    assert found_figures == pytest.approx(figures, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("count", [2, 4])
def test_all_ranks_log_the_same_and_keep_the_same_weights(count: int, ranks: dict[int, Results]) -> None:
    first, *others = (rank["losses"] for rank in ranks[count])
    assert all(other == first for other in others)


@pytest.mark.parametrize("count", [2, 4])
def test_batch_normalisation_is_the_whole_batchs_to_the_second_derivative(
    count: int, ranks: dict[int, Results]
) -> None:
    for name, expected in normalize(SINGLE_PROCESS).items():
        together = np.concatenate([rank["normalized"][name] for rank in ranks[count]])
        np.testing.assert_allclose(together, expected, rtol=1e-9, atol=1e-9)


def test_what_fails_on_some_ranks_ends_all_and_the_first_of_them_says_why(ranks: dict[int, Results]) -> None:
    assert [rank["passing"] for rank in ranks[4]] == ["passed"] * 4
    elsewhere = "OtherProcessError: rank 1 could not go on. Its own message says why."
    assert [rank["failing"] for rank in ranks[4]] == [
        elsewhere,
        "DataError: no faces here",
        elsewhere,
        elsewhere,
    ]


def test_ranks_with_other_data_are_found_at_the_start(ranks: dict[int, Results]) -> None:
    assert [rank["same"] for rank in ranks[2]] == ["passed"] * 2
    assert ranks[4][0]["same"] == "RunError: rank 2 has other faces than rank 0: all need the same"
    assert {rank["same"] for rank in ranks[4][1:]} == {
        "OtherProcessError: rank 0 could not go on. Its own message says why."
    }


def test_texts_and_flags_reach_every_rank(ranks: dict[int, Results]) -> None:
    assert all(rank["gathered"] == ["", "é", "éé", "ééé"] for rank in ranks[4])
    assert all(rank["any"] == [True, False] for rank in ranks[4])


def test_a_batch_that_cannot_be_shared_out_evenly_is_refused() -> None:
    state = build_state(small_experiment(), CPU, Replicas(Share(0, 3)))
    with pytest.raises(ExperimentError, match="4 cannot be shared out evenly among 3 processes") as caught:
        training_batches(state, small_dataset())
    assert caught.value.hint == "It is that of all processes together; set a multiple of 3."


def test_a_rank_without_its_meeting_place_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with (
        pytest.raises(UserError, match=r"the 2 processes do not find each other.*MASTER_ADDR"),
        joining(Share(1, 2), "cpu"),
    ):
        pass


def workers_of(torchrun: int) -> list[int]:
    """The process ids of torchrun's ranks, in their order."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True).stdout
    pairs = (map(int, line.split()) for line in listing.splitlines())
    return sorted(pid for pid, parent in pairs if parent == torchrun)


def wait_for_step(run: Path, step: int) -> None:
    deadline = time.monotonic() + 300
    while not (
        (run / "metrics.jsonl").exists() and f'"step": {step},' in (run / "metrics.jsonl").read_text()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def launch(file: Path, data: Path, run: Path, *options: str) -> subprocess.Popen[str]:
    """Starts torchrun with two training ranks."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", *options]
    return subprocess.Popen(
        [*torchrun, "-m", "srcli", "train", str(file), "--data", str(data), "--out", str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.long
def test_a_run_that_lost_a_rank_for_good_has_failed(tmp_path: Path) -> None:
    run, file = RunDirectory(tmp_path / "run"), tmp_path / "mine.yaml"
    file.write_text(small_experiment(steps=100_000).to_yaml())
    process = launch(file, pack_faces(tmp_path), run.path)
    try:
        wait_for_step(run.path, 5)
        os.kill(workers_of(process.pid)[1], signal.SIGKILL)
    finally:
        process.communicate(timeout=120)
    assert process.returncode == 1
    record = run.record()
    assert record["status"] == "failed"
    assert record["reason"].startswith("another process of this training ended or did not answer: ")
    assert record["step"] >= 5
    assert actual_state(run) == f"failed: {record['reason']}"


@pytest.mark.parametrize(("restarts", "status"), [("0", "running"), ("1", "running"), ("2", "failed")])
def test_a_run_has_not_failed_while_torchrun_will_restart_it(
    restarts: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "2")
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", restarts)
    run = create_run(tmp_path / "run", "", {"status": "running"})
    state = build_state(small_experiment(), CPU)
    with pytest.raises(LostProcessError), recording_failure(run, state):
        raise LostProcessError("rank 1 is gone")
    assert run.record()["status"] == status


def test_a_rank_lost_before_the_first_step_fails_the_run(ranks: dict[int, Results]) -> None:
    for count in (2, 4):
        abandoned = ranks[count][0]["abandoned"]
        assert abandoned["status"] == "failed"
        assert abandoned["reason"].startswith("another process of this training ended or did not answer: ")


@pytest.mark.long
def test_torchrun_restarts_a_run_that_lost_a_rank_and_stops_all_ranks_at_once(tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "mine.yaml"
    file.write_text(small_experiment(steps=100_000).to_yaml())
    process = launch(file, pack_faces(tmp_path), run, "--max-restarts", "1")
    try:
        wait_for_step(run, 5)
        os.kill(workers_of(process.pid)[1], signal.SIGKILL)
        before = max(entry["step"] for entry in read_log(run / "metrics.jsonl"))
        wait_for_step(run, before + 5)
    finally:
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=120)
    record = json.loads((run / "run.json").read_text())
    assert (stdout, record["status"], record["processes"]) == ("", "interrupted", 2)
    steps = [entry["step"] for entry in read_log(run / "metrics.jsonl")]
    assert steps == list(range(1, record["step"] + 1))
    assert (run / "checkpoints" / f"step-{record['step']:06d}").is_dir()
    assert len(re.findall("another process of this training ended or did not answer", stderr)) <= 1
    assert stderr.count(f"training small-mlp-wgan-gp to step 100000 in {run}\n") == 2
    assert stderr.count(f"Continue with --resume {run}\n") == 1
