"""The training loop: steps, and what is logged, measured, drawn and saved on the way."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from srcli.data.batches import TrainingBatches
from srcli.data.dataset import Dataset
from srcli.errors import DataError, ExperimentError, InterruptedRunError, UnhealthyRunError
from srcli.health.rules import Watch
from srcli.pictures.pixels import as_png
from srcli.runs.directory import RunDirectory
from srcli.runs.log import RunLog, read_log
from srcli.runs.status import RunStatus
from srcli.storage.atomic import write_bytes
from srcli.storage.bounded import JsonObject
from srcli.training.evaluate import choose_test_faces, evaluate, sample_grid
from srcli.training.state import TrainingState, save_state
from srcli.training.step import Terms, train_step
from srcli.training.timer import Timer

SECONDS_BETWEEN_NOTES = 10
"""How old the step in a run's record may be: writing it takes milliseconds, on slow disks tens of them."""


@dataclass
class StopRequest:
    """Whether someone asked training to stop; the loop looks at it between two steps."""

    requested: bool = False

    def ask(self) -> None:
        """Asks for it."""
        self.requested = True


def train(
    run: RunDirectory,
    state: TrainingState,
    dataset: Dataset,
    report: Callable[[JsonObject], None],
    stop: StopRequest,
    seconds_before: float = 0.0,
) -> None:
    """Trains up to the experiment's number of steps.

    Args:
        report: Called after each step with its log entry, which is logged by then, as its sample is drawn.
        stop: Set from outside to end the run after the step it is in.
        seconds_before: How long the run has trained in earlier sessions.

    Raises:
        DivergedError: A term stopped being finite; checkpoints are as they were.
        InterruptedRunError: A stop was requested; a checkpoint was written.
        UnhealthyRunError: An evaluation found something, and the experiment says to stop then; likewise.
    """
    settings, batches = state.experiment.training, training_batches(state, dataset)
    faces = choose_test_faces(dataset, settings.evaluate_faces, state.experiment.task)
    watch = Watch(state.experiment.objective.stuck_points, read_log(run.metrics_file) if state.step else [])
    run.update_record(status=RunStatus.RUNNING, reason=None, step=state.step, health=watch.record())
    started, is_unhealthy = time.perf_counter() - seconds_before, False
    saving, noting = Timer(60 * settings.checkpoint_minutes), Timer(SECONDS_BETWEEN_NOTES)
    with closing(RunLog(run)) as log:
        while state.step < settings.steps and not (is_unhealthy or _any_process(state, stop.requested)):
            before = time.perf_counter()
            terms = train_step(state, batches)
            entry = _timed(terms, state, started, before)
            evaluated = _is_due(state, settings.evaluate_every)
            if evaluated:
                entry.update(evaluate(state, faces))
            if _is_due(state, settings.sample_every) and run.is_kept:
                write_bytes(run.sample(state.step), as_png(sample_grid(state, faces)))
            line = watch.judge(entry, evaluated=evaluated)
            log.write(line)
            report(line)
            if evaluated or noting.rings():
                run.update_record(step=state.step, health=watch.record())
            if evaluated and settings.on_unhealthy == "stop":
                is_unhealthy = _any_process(state, bool(watch.findings))
            if _is_due(state, settings.checkpoint_every) or saving.rings():
                _save(run, state, log)
                saving.restart()
        _save(run, state, log)
    _conclude(run, state, watch, is_unhealthy)


def training_batches(state: TrainingState, dataset: Dataset) -> TrainingBatches:
    """The batches a state trains on.

    Raises:
        DataError: The training split is smaller than one batch, or its faces than the largest window.
        ExperimentError: The processes that train cannot share out a batch evenly.
    """
    experiment, share = state.experiment, state.replicas.share
    settings = experiment.training
    if settings.batch_size % share.count:
        raise ExperimentError(
            f"training.batch_size: {settings.batch_size} cannot be shared out evenly among {share.count}"
            " processes",
            f"It is that of all processes together; set a multiple of {share.count}.",
        )
    faces = len(dataset.splits["train"])
    if faces < settings.batch_size:
        raise DataError(
            f"{dataset.source} has {faces} training faces, fewer than one batch of {settings.batch_size}"
        )
    return TrainingBatches(
        dataset, experiment.augmentation, settings.batch_size, settings.seed, share, experiment.task
    )


def _any_process(state: TrainingState, flag: bool) -> bool:
    return state.replicas.any(flag, state.device)


def _conclude(run: RunDirectory, state: TrainingState, watch: Watch, is_unhealthy: bool) -> None:
    """Records how a run ended, and raises what `train` says if it ended early; its checkpoint is saved."""
    if state.step >= state.experiment.training.steps:
        run.update_record(status=RunStatus.FINISHED, step=state.step)
        return
    run.update_record(status=RunStatus.UNHEALTHY if is_unhealthy else RunStatus.INTERRUPTED, step=state.step)
    if not is_unhealthy:
        raise InterruptedRunError(
            f"stopped after step {state.step}, checkpoint saved", f"Continue with --resume {run.path}"
        )
    findings = ", ".join(watch.findings) or "another process found it so"
    raise UnhealthyRunError(
        f"{run.path} is unhealthy: {findings}; stopped after step {state.step}, checkpoint saved",
        f"To go on all the same: --resume {run.path} --set training.on_unhealthy=warn",
    )


def _timed(terms: Terms, state: TrainingState, started: float, before: float) -> Terms:
    now = time.perf_counter()
    speed = round(state.experiment.training.batch_size / (now - before), 2)
    return {"step": state.step, "seconds": round(now - started, 3), **terms, "images_per_second": speed}


def _save(run: RunDirectory, state: TrainingState, log: RunLog) -> None:
    log.sync()  # first, so that no checkpoint is ever newer than the log
    save_state(run, state)


def _is_due(state: TrainingState, every: int) -> bool:
    return state.step % every == 0 or state.step == state.experiment.training.steps
