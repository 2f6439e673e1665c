"""The training loop: one step after another, with what is logged, drawn, measured and kept on the way."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from srcli.data.batches import TrainingBatches
from srcli.data.dataset import Dataset
from srcli.errors import (
    DataError,
    DivergedError,
    ExperimentError,
    InterruptedRunError,
    UnhealthyRunError,
)
from srcli.health.rules import Watch
from srcli.pictures.pixels import as_png
from srcli.runs.directory import Record, RunDirectory
from srcli.runs.log import RunLog, read_log
from srcli.runs.status import RunStatus
from srcli.storage.atomic import write_bytes
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


@dataclass(frozen=True)
class Job:
    """All that `train` needs: where to, from what, on which faces, and whom to tell.

    Attributes:
        report: Called after each step with its log entry.
        stop: Set from outside to end the run after the step it is in.
        seconds_before: How long the run has trained in earlier sittings.
    """

    run: RunDirectory
    state: TrainingState
    dataset: Dataset
    report: Callable[[Record], None]
    stop: StopRequest = field(default_factory=StopRequest)
    seconds_before: float = 0.0


def train(job: Job) -> None:
    """Trains up to the experiment's number of steps.

    Raises:
        DivergedError: A term stopped being finite; checkpoints are as they were.
        InterruptedRunError: A stop was requested; a checkpoint was written.
        UnhealthyRunError: An evaluation found an illness, and the experiment says to stop then; likewise.
    """
    run, state, settings = job.run, job.state, job.state.experiment.training
    batches = training_batches(state, job.dataset)
    faces = choose_test_faces(job.dataset, settings.evaluate_faces)
    watch = Watch(state.experiment.objective.stuck_points, read_log(run.metrics_file) if state.step else [])
    log = RunLog(run.metrics_file) if run.is_kept else None
    run.update_record(status=RunStatus.RUNNING, reason=None, step=state.step, health=watch.record())
    started, is_ill = time.perf_counter() - job.seconds_before, False
    saving, noting = Timer(60 * settings.checkpoint_minutes), Timer(SECONDS_BETWEEN_NOTES)
    try:
        while state.step < settings.steps and not (is_ill or _is_interrupted(job)):
            before = time.perf_counter()
            terms = train_step(state, batches)
            entry = _timed(terms, state, started, before)
            evaluated = _is_due(state, settings.evaluate_every)
            if evaluated:
                entry.update(evaluate(state, faces))
            line = watch.judge(entry, evaluated=evaluated)
            if log is not None:
                log.write(line)
            job.report(line)
            if evaluated or noting.rings():
                run.update_record(step=state.step, health=watch.record())
            if evaluated:
                is_ill = settings.on_unhealthy == "stop" and state.replicas.any(
                    bool(watch.findings), state.device
                )
            if _is_due(state, settings.sample_every) and run.is_kept:
                write_bytes(run.samples / f"step-{state.step:06d}.png", as_png(sample_grid(state, faces)))
            if _is_due(state, settings.checkpoint_every) or saving.rings():
                _save(run, state, log)
                saving.restart()
        _save(run, state, log)
    except DivergedError:
        run.update_record(status=RunStatus.DIVERGED, step=state.step)
        raise
    finally:
        if log is not None:
            log.close()
    _conclude(job, watch, is_ill)


def training_batches(state: TrainingState, dataset: Dataset) -> TrainingBatches:
    """The batches a state trains on.

    Raises:
        DataError: The training split is smaller than one batch, or its faces than the largest window.
        ExperimentError: The processes that train cannot share out a batch evenly.
    """
    settings = state.experiment.training
    share = state.replicas.share
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
    return TrainingBatches(dataset, state.experiment.augmentation, settings.batch_size, settings.seed, share)


def _is_interrupted(job: Job) -> bool:
    return job.state.replicas.any(job.stop.requested, job.state.device)


def _conclude(job: Job, watch: Watch, is_ill: bool) -> None:
    """Records how a run ended whose checkpoint is saved, and raises what `train` says if it ended early.

    Args:
        is_ill: Whether it ended for an illness, which another process may have found.
    """
    run, state = job.run, job.state
    if state.step >= state.experiment.training.steps:
        run.update_record(status=RunStatus.FINISHED, step=state.step)
        return
    run.update_record(status=RunStatus.UNHEALTHY if is_ill else RunStatus.INTERRUPTED, step=state.step)
    if not is_ill:
        raise InterruptedRunError(
            f"stopped after step {state.step}, checkpoint saved", f"Continue with --resume {run.path}"
        )
    illnesses = ", ".join(watch.findings) or "another process found it so"
    raise UnhealthyRunError(
        f"{run.path} is unhealthy: {illnesses}; stopped after step {state.step}, checkpoint saved",
        f"To go on all the same: --resume {run.path} --set training.on_unhealthy=warn",
    )


def _timed(terms: Terms, state: TrainingState, started: float, before: float) -> Terms:
    now = time.perf_counter()
    speed = state.experiment.training.batch_size / (now - before)
    return {
        "step": state.step,
        "seconds": round(now - started, 3),
        **terms,
        "images_per_second": round(speed, 2),
    }


def _save(run: RunDirectory, state: TrainingState, log: RunLog | None) -> None:
    if log is not None:
        log.sync()  # first, so that no checkpoint is ever newer than the log
    save_state(run, state)


def _is_due(state: TrainingState, every: int) -> bool:
    return state.step % every == 0 or state.step == state.experiment.training.steps
