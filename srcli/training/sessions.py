"""Starting a run and continuing one: from settings and data to the loop."""

import platform
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from srcli.console import say
from srcli.data.dataset import Dataset
from srcli.data.several import open_datasets
from srcli.data.task import Task
from srcli.drawn_faces.faces import built_in_dataset
from srcli.errors import DivergedError, LostProcessError, RunError
from srcli.experiment.loading import differences, load_experiment, override_experiment
from srcli.experiment.schema import Experiment
from srcli.runs.directory import RunDirectory, create_run
from srcli.runs.event_files import is_to_be_followed
from srcli.runs.lock import locked
from srcli.runs.log import cut_log, read_log
from srcli.runs.status import RunStatus
from srcli.storage.atomic import write_text
from srcli.storage.bounded import JsonObject
from srcli.training.evaluate import choose_test_faces
from srcli.training.loop import StopRequest, train, training_batches
from srcli.training.publishing import publishing
from srcli.training.replicas import SINGLE_PROCESS, Replicas, most_restarts, restarts
from srcli.training.reporting import reporting
from srcli.training.state import TrainingState, first_state, restore_state, save_state, weights_digest
from srcli.training.stopping import asked_to_stop
from srcli.version import __version__

EXTENDABLE = "training.steps"


def start_run(
    experiment: Experiment,
    data: Sequence[Path],
    path: Path,
    device: torch.device,
    command: Sequence[str],
    replicas: Replicas = SINGLE_PROCESS,
    *,
    tensorboard: bool = False,
) -> None:
    """Trains an experiment in a new run directory.

    Args:
        data: Prepared datasets, taken as one; none for the built-in faces.
        command: What was typed, for the record.
        replicas: The processes that train together; all call this.
        tensorboard: Whether to write event files as well.

    Raises:
        UserError: Whatever is wrong with data or path, before anything is made.
    """
    with replicas.together():
        dataset = load_dataset(data, experiment.task)
        state = first_state(experiment, device, replicas)
        training_batches(state, dataset)
        choose_test_faces(dataset, experiment.training.evaluate_faces, experiment.task)
    _require_same(state, dataset)
    record = _new_record(state, data, dataset, command)
    # A checkpoint of a warm start, so that continuing never looks at the other run again.
    warm = experiment.training.init_from is not None
    run = RunDirectory(path, replicas.is_first)
    with ExitStack() as held:
        with replicas.together():
            if run.is_kept:
                text = experiment.to_yaml()
                create_run(path, text, record, lambda new: save_state(new, state) if warm else None)
                held.enter_context(locked(run))
                held.enter_context(recording_failure(run, None))
        _train(run, state, dataset, tensorboard=tensorboard)


def resume_run(
    path: Path,
    overrides: Sequence[str],
    data: Sequence[Path],
    device: torch.device,
    replicas: Replicas = SINGLE_PROCESS,
    *,
    tensorboard: bool = False,
) -> None:
    """Continues a run from its newest whole checkpoint.

    Args:
        overrides: Only `training.steps` and `training.on_unhealthy` may differ from the run's experiment, and
            the steps only where the learning rate does not jump.
        data: Where the run's datasets lie now; none for where they lay.
        replicas: The processes that train together; all call this, and all can read the run.
        tensorboard: Whether to write event files as well; those of a run that has some are kept up to date
            anyhow.

    Raises:
        RunError: Settings or data differ from the run's, nothing is left to do, or another process trains it.
    """
    run = RunDirectory(path, replicas.is_first)
    with ExitStack() as held:
        with replicas.together():
            run.record()  # says what is wrong when the folder is not a run
            if run.is_kept:
                held.enter_context(locked(run))
                held.enter_context(recording_failure(run, None))
                run.remove_leftovers()
            record = run.record()
            recorded = load_experiment(run.experiment_file)
            experiment = _resumed_experiment(run, recorded, overrides)
            dataset = _same_dataset(path, record, data, experiment.task)
            state = restore_state(run, experiment, device, replicas)
            _check_unfinished(run, record, state)
            _refuse_jump(run, recorded, state)
            training_batches(state, dataset)
        _require_same(state, dataset)
        with replicas.together():
            seconds_before = _rewind(run, state) if run.is_kept else 0.0
        _train(run, state, dataset, seconds_before, tensorboard=tensorboard or is_to_be_followed(run))


def _same_dataset(run: Path, record: JsonObject, data: Sequence[Path], task: Task) -> Dataset:
    """The dataset of a run, at its new place or the recorded one."""
    recorded = record.get("dataset")
    if not isinstance(recorded, dict):
        raise RunError(f"{run} does not say what it was trained on: its run.json is damaged")
    paths = recorded.get("paths")
    places = [Path(path) for path in paths if isinstance(path, str)] if isinstance(paths, list) else []
    dataset = load_dataset(data or places, task)
    if dataset.fingerprint != recorded.get("fingerprint"):
        raise RunError(f"{dataset.source} is not the data that {run} was trained on: fingerprints differ")
    return dataset


def _check_unfinished(run: RunDirectory, record: JsonObject, state: TrainingState) -> None:
    """Checks that something is left to do: a run killed after its last checkpoint still needs its end."""
    was_cut_off = record.get("status") in (RunStatus.RUNNING, RunStatus.FAILED)
    if state.step >= state.experiment.training.steps and not was_cut_off and not restarts():
        hint = f"To go on, extend it with --set {EXTENDABLE}=N."
        if _learning_rate(state.experiment, state.step) == 0:
            hint = f"For a new run that begins with its generator: --set training.init_from={run.path}."
        raise RunError(f"{run.path} has already done its {state.step} steps", hint)
    if record.get("status") == RunStatus.RUNNING:
        say(f"{run.path} was killed while it trained; continuing after step {state.step}")


def _train(
    run: RunDirectory,
    state: TrainingState,
    dataset: Dataset,
    seconds_before: float = 0.0,
    *,
    tensorboard: bool,
) -> None:
    stop = StopRequest()
    with (
        asked_to_stop(stop.ask),
        reporting(run, state) as report,
        recording_failure(run, state),
        publishing(run, tensorboard) as publish,
    ):

        def tell(entry: JsonObject) -> None:
            publish(entry)
            report(entry)

        train(run, state, dataset, tell, stop, seconds_before)


@contextmanager
def recording_failure(run: RunDirectory, state: TrainingState | None) -> Iterator[None]:
    """Records the failure of a block in the run's record, as far as that can still be written.

    Args:
        state: None before the first step, when any error but the loss of a process leaves the run as it was.
    """
    try:
        yield
    except BaseException as error:
        is_loss = isinstance(error, LostProcessError)
        will_go_on = restarts() < most_restarts()  # torchrun starts these processes again
        if not (will_go_on if is_loss else state is None):
            with suppress(OSError, RunError):
                _record_failure(run, error, state)
        raise


def _record_failure(run: RunDirectory, error: BaseException, state: TrainingState | None) -> None:
    record = run.record()
    step = record.get("step") if state is None else state.step
    if isinstance(error, DivergedError):
        run.update_record(status=RunStatus.DIVERGED, step=step)
    elif record.get("status") == RunStatus.RUNNING:
        status = RunStatus.INTERRUPTED if isinstance(error, KeyboardInterrupt) else RunStatus.FAILED
        run.update_record(status=status, reason=str(error) or type(error).__name__, step=step)


def load_dataset(data: Sequence[Path], task: Task) -> Dataset:
    """The prepared datasets at `data` as one, or the built-in faces, drawn as large as the task needs."""
    return open_datasets(data) if data else built_in_dataset(size=task.face_size)


def _resumed_experiment(run: RunDirectory, recorded: Experiment, overrides: Sequence[str]) -> Experiment:
    wanted = override_experiment(recorded, overrides)
    changed = differences(recorded, wanted).items()
    harmless = (EXTENDABLE, "training.on_unhealthy")
    listed = "; ".join(f"{name}: {old} -> {new}" for name, (old, new) in changed if name not in harmless)
    if listed:
        raise RunError(
            f"{run.path} cannot be continued with other settings: {listed}",
            f"Only {EXTENDABLE} and training.on_unhealthy may change; for anything else start a new run.",
        )
    return wanted


def _refuse_jump(run: RunDirectory, recorded: Experiment, state: TrainingState) -> None:
    """Checks that the learning rate does not jump, as a schedule over other steps may."""
    before, after = _learning_rate(recorded, state.step), _learning_rate(state.experiment, state.step)
    if before != after:
        steps, wanted = recorded.training.steps, state.experiment.training.steps
        raise RunError(
            f"{run.path} has a {recorded.optimizer.schedule} schedule over {steps} steps:"
            f" with {EXTENDABLE}={wanted} its learning rate would jump from {before:.3g} to {after:.3g}"
            f" after step {state.step}",
            f"For a new run that begins with its generator: --set training.init_from={run.path}.",
        )


def _learning_rate(experiment: Experiment, step: int) -> float:
    return experiment.optimizer.rate(step, experiment.training.steps)


def _rewind(run: RunDirectory, state: TrainingState) -> float:
    """Takes the run's records back to its checkpoint; returns the seconds it had trained by then."""
    write_text(run.experiment_file, state.experiment.to_yaml())
    cut_log(run.metrics_file, state.step)
    log = read_log(run.metrics_file)
    seconds = log[-1].get("seconds") if log else None
    return float(seconds) if isinstance(seconds, (int, float)) and 0 <= seconds < 1e12 else 0.0


def _require_same(state: TrainingState, dataset: Dataset) -> None:
    """Checks that settings, data and weights are the same on all processes."""
    if state.replicas.count > 1:
        settings, weights = state.experiment.to_yaml(), weights_digest(state)
        state.replicas.require_same({"settings": settings, "faces": dataset.fingerprint, "weights": weights})


def _new_record(
    state: TrainingState, data: Sequence[Path], dataset: Dataset, command: Sequence[str]
) -> JsonObject:
    paths = [str(path.resolve()) for path in data]
    return {
        "preset": state.experiment.name,
        "command": list(command),
        "status": RunStatus.RUNNING,
        "step": 0,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": str(state.device),
        "processes": state.replicas.count,
        "dataset": {"source": dataset.source, "paths": paths, "fingerprint": dataset.fingerprint},
        "versions": {
            "srcli": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
