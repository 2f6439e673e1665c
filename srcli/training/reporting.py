"""What a person sees while a run trains."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

from srcli.console import progress, say, warn
from srcli.errors import DivergedError, InterruptedRunError, UnhealthyRunError
from srcli.health.rules import health_lines
from srcli.metrics.table import METRICS
from srcli.runs.directory import RunDirectory
from srcli.storage.bounded import JsonObject
from srcli.training.dry_run import duration
from srcli.training.state import TrainingState
from srcli.training.step import Terms
from srcli.training.timer import Timer

SECONDS_TO_FIRST_LINE, SECONDS_BETWEEN_LINES = 10, 60
"""Between the lines that replace the progress bar where there is no terminal."""

LIVE_TERMS = ("critic_loss", "generator_loss", "l1", "wasserstein", "gradient_penalty")


@contextmanager
def reporting(run: RunDirectory, state: TrainingState) -> Iterator[Callable[[JsonObject], None]]:
    """A block with a progress bar or, without a terminal, lines; it ends with a word on the run's health."""
    say(f"training {state.experiment.name} to step {state.experiment.training.steps} in {run.path}")
    try:
        with progress("steps") as bar:
            yield _reporter(bar, state)
    except (DivergedError, InterruptedRunError, UnhealthyRunError):
        _tell_health(run)
        raise
    _tell_health(run)


def _reporter(bar: Progress, state: TrainingState) -> Callable[[JsonObject], None]:
    name, training = state.experiment.name, state.experiment.training
    task = bar.add_task(name, total=training.steps, completed=state.step, rate="-", note="")
    told: set[str] = set()
    timer = Timer(SECONDS_BETWEEN_LINES, SECONDS_TO_FIRST_LINE)
    first, started = state.step, time.monotonic()

    def report(entry: JsonObject) -> None:
        steps_per_second = entry["images_per_second"] / training.batch_size
        bar.update(task, completed=entry["step"], rate=f"{steps_per_second:.2f}", note=live_terms(entry))
        if bar.disable and timer.rings():
            pace = (time.monotonic() - started) / (entry["step"] - first)
            say(describe_step(entry, training.steps, pace))
        metrics = describe_metrics(entry)
        if metrics:
            say(f"step {entry['step']}: {metrics}")
        findings = entry.get("health", {})
        for rule in findings.keys() - told:
            warn(f"step {entry['step']}: {rule}: {findings[rule]}")
        told.update(findings)

    return report


def describe_step(entry: Terms, steps: int, pace: float) -> str:
    """How far training of so many steps is, in one line, at a pace in seconds a step."""
    left = duration(pace * (steps - entry["step"]))
    return f"step {entry['step']:,} of {steps:,}, {1 / pace:.2f} steps/s, {left} left; {live_terms(entry)}"


def _tell_health(run: RunDirectory) -> None:
    for line in health_lines(run.record()["health"]):
        say(line)


def live_terms(entry: Terms) -> str:
    """The current terms in one short line, the most telling ones first."""
    return ", ".join(f"{name} {entry[name]:.3g}" for name in LIVE_TERMS if name in entry)


def describe_metrics(entry: Terms) -> str:
    """The metrics of an evaluation in one line; empty for a step without one."""
    return ", ".join(metric.phrase(entry[key]) for key, metric in METRICS.items() if key in entry)
