"""Starting a run and continuing one: from settings and data to a job for the loop."""

import platform
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

import srcli
from srcli.console import say
from srcli.data.dataset import Dataset, open_dataset
from srcli.data.synthetic import built_in_dataset
from srcli.errors import RunError
from srcli.experiment import Experiment, differences, load_experiment, override_experiment
from srcli.run_lock import locked
from srcli.runs import (
    FAILED,
    INTERRUPTED,
    RUNNING,
    RunDirectory,
    create_run,
    cut_log,
    read_log,
    write_text,
)
from srcli.training.loop import Job, StopRequest, train, training_batches
from srcli.training.measuring import choose_test_faces
from srcli.training.reporting import reporting
from srcli.training.state import TrainingState, build_state, restore_state, save_state, start_from

EXTENDABLE = "training.steps"


def start_run(
    experiment: Experiment, data: Path | None, path: Path, device: torch.device, command: Sequence[str]
) -> None:
    """Trains an experiment in a new run directory.

    Args:
        data: A prepared dataset; None for the built-in faces.
        path: The run directory to make.
        command: What was typed, for the record.

    Raises:
        UserError: Whatever is wrong with data or path, before anything is made.
    """
    dataset = load_dataset(data)
    state = build_state(experiment, device)
    if experiment.training.init_from is not None:
        start_from(state, Path(experiment.training.init_from))
    training_batches(state, dataset)
    choose_test_faces(dataset, experiment.training.evaluate_faces)
    record = _new_record(experiment, data, dataset, device, command)
    # A checkpoint of a warm start, so that continuing never looks at the other run again.
    warm = experiment.training.init_from is not None
    run = create_run(path, experiment.to_yaml(), record, lambda new: save_state(new, state) if warm else None)
    with locked(run):
        _train(run, state, dataset)


def resume_run(path: Path, overrides: Sequence[str], data: Path | None, device: torch.device) -> None:
    """Continues a run where its newest whole checkpoint stands.

    Args:
        overrides: Only `training.steps` and `training.on_unhealthy` may differ from the run's experiment.
        data: Where the run's dataset lies now; None for where it lay.

    Raises:
        RunError: Settings or data differ from the run's, nothing is left to do, or another process trains it.
    """
    run = RunDirectory(path)
    run.record()  # says what is wrong when the folder is not a run
    with locked(run):
        record = run.record()
        experiment = _resumed_experiment(run, overrides)
        dataset = load_dataset(data or _recorded_data(record, path))
        if dataset.fingerprint != _recorded_dataset(record, path).get("fingerprint"):
            raise RunError(
                f"{dataset.source} is not the data that {path} was trained on: fingerprints differ"
            )
        run.remove_leftovers()
        state = restore_state(run, experiment, device)
        # Killed after its last checkpoint, a run only lacks the record of its end.
        if state.step >= experiment.training.steps and record.get("status") not in (RUNNING, FAILED):
            raise RunError(
                f"{path} has already done its {state.step} steps",
                f"To go on, extend it with --set {EXTENDABLE}=N.",
            )
        if record.get("status") == RUNNING:
            say(f"{path} was killed while it trained; continuing after step {state.step}")
        write_text(run.experiment_file, experiment.to_yaml())
        cut_log(run.metrics_file, state.step)
        log = read_log(run.metrics_file)
        _train(run, state, dataset, _seconds(log[-1]) if log else 0.0)


def _train(run: RunDirectory, state: TrainingState, dataset: Dataset, seconds_before: float = 0.0) -> None:
    with stopping_on_signals() as stop, reporting(run, state) as report, recording_failure(run, state):
        train(Job(run, state, dataset, report, stop, seconds_before))


@contextmanager
def recording_failure(run: RunDirectory, state: TrainingState) -> Iterator[None]:
    """A block after whose failure the run's record says so, as far as that can still be written."""
    try:
        yield
    except BaseException as error:
        with suppress(OSError, RunError):
            if run.record().get("status") == RUNNING:
                status = INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED
                run.update_record(status=status, step=state.step, reason=str(error) or type(error).__name__)
        raise


def load_dataset(data: Path | None) -> Dataset:
    """The prepared dataset at `data`, or the built-in faces."""
    return built_in_dataset() if data is None else open_dataset(data)


@contextmanager
def stopping_on_signals() -> Iterator[StopRequest]:
    """A block in which the first Ctrl-C or SIGTERM requests a stop and the next one ends the program."""
    stop = StopRequest()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in signals]

    def request_stop(_number: int, _frame: object) -> None:
        stop.requested = True
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)

    for number in signals:
        signal.signal(number, request_stop)
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _resumed_experiment(run: RunDirectory, overrides: Sequence[str]) -> Experiment:
    recorded = load_experiment(run.experiment_file)
    wanted = override_experiment(recorded, overrides)
    changed = differences(recorded, wanted)
    for harmless in (EXTENDABLE, "training.on_unhealthy"):
        changed.pop(harmless, None)
    if changed:
        listed = "; ".join(f"{name}: {old} -> {new}" for name, (old, new) in changed.items())
        raise RunError(
            f"{run.path} cannot be continued with other settings: {listed}",
            f"Only {EXTENDABLE} and training.on_unhealthy may change; for anything else start a new run.",
        )
    return wanted


def _recorded_data(record: dict[str, Any], run: Path) -> Path | None:
    path = _recorded_dataset(record, run).get("path")
    return Path(path) if isinstance(path, str) else None


def _recorded_dataset(record: dict[str, Any], run: Path) -> dict[str, Any]:
    dataset = record.get("dataset")
    if not isinstance(dataset, dict):
        raise RunError(f"{run} does not say what it was trained on: its run.json is damaged")
    return dataset


def _seconds(entry: dict[str, Any]) -> float:
    seconds = entry.get("seconds")
    return float(seconds) if isinstance(seconds, (int, float)) and 0 <= seconds < 1e12 else 0.0


def _new_record(
    experiment: Experiment,
    data: Path | None,
    dataset: Dataset,
    device: torch.device,
    command: Sequence[str],
) -> dict[str, Any]:
    return {
        "preset": experiment.name,
        "command": list(command),
        "status": RUNNING,
        "step": 0,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": str(device),
        "dataset": {
            "source": dataset.source,
            "path": None if data is None else str(data.resolve()),
            "fingerprint": dataset.fingerprint,
        },
        "versions": {
            "srcli": srcli.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
