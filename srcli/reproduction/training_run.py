"""One run of a plan: started or continued in a process of its own, then measured and recorded."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import torch

from srcli.data.dataset import Dataset
from srcli.data.task import PAPER
from srcli.errors import EXIT_DIVERGED, EXIT_INTERRUPTED, InterruptedRunError, RunError
from srcli.experiment.loading import as_overrides, differences, load_experiment
from srcli.metrics.table import METRICS
from srcli.pictures.pixels import Pixels, as_png, grid
from srcli.reproduction.finals import measure_run
from srcli.reproduction.plan import PlannedRun
from srcli.reproduction.records import STEP_TERMS, RunRecord, Series, columns_of, write_record
from srcli.runs.directory import RunDirectory
from srcli.runs.lock import is_being_trained
from srcli.runs.log import logged_steps, read_log
from srcli.runs.status import RunStatus
from srcli.storage.atomic import write_bytes
from srcli.training.evaluate import Statistics, draw_faces, enlarge
from srcli.training.state import TrainingState, restore_state

CPU = torch.device("cpu")
SECONDS_BETWEEN_LOOKS = 1.0
SHOWN_FACES = 10
EVALUATED_TERMS = (
    "step",
    *(f"{key}{suffix}" for key in METRICS for suffix in ("", "_running", "_batch")),
    "copies",
    "score_train",
    "score_test",
    "score_fake",
    "wasserstein_test",
    "adversary_share",
    "clipped_share",
)


@dataclass(frozen=True)
class Workshop:
    """Where a campaign's runs are made, and on what.

    Attributes:
        data: Prepared datasets; none for the built-in faces.
        labels: The test faces on which finished runs are measured, (N, 64, 64, 3).
        examples: Faces (N, 64, 64, 3) that may be shown to anyone; records hold what runs make of them.
        threads: That each training process may use.
        stopping: Set when everything should stop; runs then save a checkpoint.
    """

    out: Path
    data: Sequence[Path]
    dataset: Dataset
    labels: Pixels
    examples: Pixels
    threads: int
    stopping: Event = field(default_factory=Event)


def complete(run: PlannedRun, workshop: Workshop, progress: Callable[[int], None]) -> RunRecord:
    """Trains a run to its end, from where it stands, and writes its record.

    A run that another process trains is waited for.

    Args:
        progress: Told the steps that are done, about every second.

    Raises:
        InterruptedRunError: `workshop.stopping` was set.
        RunError: The run's folder holds a run with other settings.
    """
    directory = RunDirectory(workshop.out / "runs" / run.name, is_kept=False)
    _check_same(run, directory)
    reason = ""
    while not _is_over(directory):
        was_there = directory.path.exists()
        code = _train(run, directory, workshop, progress)
        if workshop.stopping.is_set() or code == EXIT_INTERRUPTED:
            raise InterruptedRunError(f"{directory.path} was stopped, its checkpoint saved")
        # A training that outlived a killed campaign may have made the run first; it is then waited for.
        if code in (0, EXIT_DIVERGED) or (directory.path.exists() and not was_there):
            continue
        reason = _last_line(_log_file(run, workshop)) or f"its process ended with {code}"
        break
    return _record(run, directory, workshop, reason)


def _check_same(run: PlannedRun, directory: RunDirectory) -> None:
    if directory.path.exists() and (
        changed := differences(load_experiment(directory.experiment_file), run.experiment)
    ):
        listed = "; ".join(f"{path}: {old} -> {new}" for path, (old, new) in changed.items())
        raise RunError(f"{directory.path} was trained with other settings: {listed}", "Give another --out.")


def _is_over(directory: RunDirectory) -> bool:
    over = (RunStatus.FINISHED, RunStatus.DIVERGED)
    return directory.path.exists() and directory.record().get("status") in over


def _train(
    run: PlannedRun, directory: RunDirectory, workshop: Workshop, progress: Callable[[int], None]
) -> int:
    """Trains in a process of its own and returns its exit code."""
    while directory.path.exists() and is_being_trained(directory):
        progress(logged_steps(directory.metrics_file))
        if workshop.stopping.wait(SECONDS_BETWEEN_LOOKS):
            return EXIT_INTERRUPTED
    if _is_over(directory):
        return 0
    log = _log_file(run, workshop)
    log.parent.mkdir(parents=True, exist_ok=True)
    shares = ("RANK", "WORLD_SIZE")  # the runs are shared out, not each run's batches
    inherited = {name: value for name, value in os.environ.items() if name not in shares}
    # A session of its own: Ctrl-C reaches this process alone, which then asks the training to stop.
    with (
        log.open("ab") as talk,
        subprocess.Popen(
            _command(run, directory, workshop.data),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=talk,
            env={"OMP_NUM_THREADS": str(workshop.threads), **inherited},
            start_new_session=True,
        ) as process,
    ):
        while True:
            try:
                return process.wait(SECONDS_BETWEEN_LOOKS)
            except subprocess.TimeoutExpired:
                if directory.path.exists():
                    progress(logged_steps(directory.metrics_file))
            if workshop.stopping.is_set():
                process.terminate()
                return process.wait()


def _command(run: PlannedRun, directory: RunDirectory, data: Sequence[Path]) -> list[str]:
    command = [sys.executable, "-m", "srcli", "train"]
    for path in data:
        command += ["--data", str(path)]
    if directory.path.exists():
        return [*command, "--resume", str(directory.path)]
    command += ["--preset", run.preset, "--out", str(directory.path)]
    return command + [part for text in as_overrides(run.settings) for part in ("--set", text)]


def _log_file(run: PlannedRun, workshop: Workshop) -> Path:
    return workshop.out / "logs" / f"{run.name}.log"


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()[-1:]
    return lines[0].removeprefix("error: ") if lines else ""


def _record(run: PlannedRun, directory: RunDirectory, workshop: Workshop, reason: str) -> RunRecord:
    """The record of a run that is over, written beside the others with what it makes of the examples."""
    about = directory.record() if directory.path.exists() else {}
    log = read_log(directory.metrics_file) if about else []
    status = RunStatus.FAILED if reason else str(about["status"])
    is_finished = status == RunStatus.FINISHED
    figures, faces, examples = _measured(run, directory, workshop) if is_finished else ({}, {}, None)
    updates = len(log) * run.experiment.objective.n_critic
    train = len(workshop.dataset.splits["train"])
    record = RunRecord(
        cell=run.cell,
        part=run.part,
        figures_of_paper=run.figures,
        preset=run.preset,
        seed=run.seed,
        status=status,
        reason=reason if status != RunStatus.DIVERGED else "a term of the loss stopped being finite",
        step=len(log),
        seconds=float(log[-1]["seconds"]) if log else 0.0,
        experiment=run.experiment.model_dump(mode="json"),
        made={
            "versions": about.get("versions", {}),
            "commit": source_commit(),
            "device": about.get("device"),
            "dataset": workshop.dataset.fingerprint,
            "train_faces": train,
            "recorded": time.strftime("%Y-%m-%d", time.gmtime()),
        },
        critic_updates=updates,
        epochs=max(updates, len(log)) * run.experiment.training.batch_size / train,
        figures=figures,
        faces=faces,
        steps=columns_of(log, ("step", *STEP_TERMS)),
        evaluations=columns_of([entry for entry in log if "health" in entry], EVALUATED_TERMS),
    )
    write_record(workshop.out / "records" / run.name, record, examples)
    return record


def _measured(
    run: PlannedRun, directory: RunDirectory, workshop: Workshop
) -> tuple[dict[str, float], dict[str, Series], Pixels]:
    """A finished run's figures, those of each face and its strip of examples; writes one of test faces."""
    state = restore_state(directory, run.experiment, CPU)
    figures, faces = measure_run(state, workshop.labels)
    shown_file = workshop.out / "test-faces" / f"{run.name}.png"
    shown_file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(shown_file, as_png(_strip(state, workshop.labels[:SHOWN_FACES])))
    return figures, faces, _strip(state, workshop.examples)


def source_commit() -> str | None:
    """The commit of the checkout that srcli is run from; None for an installed package."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout), "rev-parse", "--short=12", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def _strip(state: TrainingState, labels: Pixels) -> Pixels:
    """What a run makes of faces, side by side, (64, 64 N, 3); from noise, as many samples.

    Batch normalisation takes the statistics of these faces, as the authors' code does at test time.
    """
    kind: Statistics = "batch" if state.experiment.generator.normalization == "batch" else "running"
    if state.experiment.sizes.takes_noise:
        outputs = draw_faces(state, len(labels), kind)
    else:
        outputs = enlarge(state, PAPER.low_res_of(labels), kind)
    return grid([list(outputs)], gap=0)
