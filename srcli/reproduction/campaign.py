"""Making all runs of a plan: several at a time, stopped and started at will, shared out by rank."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock

from rich.progress import Progress, TaskID

from srcli.console import progress, say, warn
from srcli.errors import InterruptedRunError, RunError
from srcli.reproduction.plan import PlannedRun
from srcli.reproduction.records import RECORD_FILE, RunRecord, read_record
from srcli.reproduction.training_run import Workshop, complete
from srcli.runs.status import RunStatus
from srcli.training.dry_run import duration
from srcli.training.stopping import asked_to_stop


@dataclass
class Tally:
    """What is known of the time that runs take, and what is left of them.

    Attributes:
        left: Steps to do, by run.
        pace: Seconds a step, by cell, newest run.
    """

    jobs: int
    left: dict[str, int]
    cells: Mapping[str, str]
    pace: dict[str, float] = field(default_factory=dict)

    def seconds_left(self) -> float | None:
        """An estimate for all runs; cells that were never run are taken to be as fast as the others' mean."""
        if not self.pace:
            return None
        usual = sum(self.pace.values()) / len(self.pace)
        steps = ((self.pace.get(self.cells[name], usual), count) for name, count in self.left.items())
        return sum(pace * count for pace, count in steps) / self.jobs

    def note(self, name: str, done: int, total: int, pace: float | None) -> None:
        """Takes in that a run stands at `done` of `total` steps."""
        self.left[name] = total - done
        if pace is not None:
            self.pace[self.cells[name]] = pace


def missing_runs(runs: Sequence[PlannedRun], workshop: Workshop) -> list[PlannedRun]:
    """The runs that have no record, or that of a failure, which is tried again."""
    return [run for run in runs if not _is_settled(run, workshop)]


def make_runs(runs: Sequence[PlannedRun], workshop: Workshop, jobs: int) -> list[RunRecord]:
    """Completes runs, `jobs` at a time, in their order.

    Returns:
        Their records, those that failed among them.

    Raises:
        InterruptedRunError: Ctrl-C or SIGTERM came; every run has saved a checkpoint.
        RunError: A folder holds a run of another plan; runs under way were stopped and have saved one, too.
    """
    tally = Tally(jobs, {run.name: run.experiment.training.steps for run in runs}, _cells(runs))
    done: list[RunRecord] = []
    with _stopping_on_signals(workshop.stopping), progress("steps") as bar, ThreadPoolExecutor(jobs) as pool:
        board = Board(bar, tally, len(runs))
        waiting = {pool.submit(_complete, run, workshop, board): run for run in runs}
        while waiting:
            finished, _ = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in finished:
                run = waiting.pop(future)
                done += _outcome(future, run, workshop, board, waiting)
    if workshop.stopping.is_set():
        raise InterruptedRunError("stopped; every run has saved a checkpoint", "The same command goes on.")
    return done


class Board:
    """The table of progress: a line for each run under way, and one for all of them with the time left."""

    def __init__(self, bar: Progress, tally: Tally, total: int) -> None:
        self._bar, self._tally, self._lock = bar, tally, Lock()
        self._tasks: dict[str, TaskID] = {}
        self._all = bar.add_task("all runs", total=total, rate="-", note="")

    def start(self, run: PlannedRun) -> Callable[[int], None]:
        """Shows a run; what is returned takes the steps it has done."""
        total = run.experiment.training.steps
        task = self._tasks[run.name] = self._bar.add_task(run.name, total=total, rate="-", note="")
        began, first = time.perf_counter(), None

        def report(done: int) -> None:
            nonlocal first, began
            if first is None:
                first, began = done, time.perf_counter()
            pace = (time.perf_counter() - began) / (done - first) if done > first else None
            with self._lock:
                self._tally.note(run.name, done, total, pace)
                rate = f"{1 / pace:.2f}" if pace else "-"
                self._bar.update(task, completed=done, rate=rate)
                self._bar.update(self._all, note=self._time_left())

        return report

    def end(self, run: PlannedRun, text: str) -> None:
        """Takes a run away and says what came of it."""
        with self._lock:
            self._tally.left[run.name] = 0
            self._bar.remove_task(self._tasks.pop(run.name))
            self._bar.update(self._all, advance=1, note=self._time_left())
        say(f"{run.name}: {text}; {self._time_left() or 'time left unknown'}")

    def _time_left(self) -> str:
        seconds = self._tally.seconds_left()
        return f"about {duration(seconds)} left in all" if seconds is not None else ""


def _cells(runs: Sequence[PlannedRun]) -> dict[str, str]:
    return {run.name: run.cell for run in runs}


def _is_settled(run: PlannedRun, workshop: Workshop) -> bool:
    folder = workshop.record_folder(run)
    return (folder / RECORD_FILE).is_file() and read_record(folder).status != RunStatus.FAILED


def _complete(run: PlannedRun, workshop: Workshop, board: Board) -> RunRecord:
    if workshop.stopping.is_set():
        raise InterruptedRunError(f"{run.name} was not started")
    say(f"{run.name}: training to step {run.experiment.training.steps:,}")
    return complete(run, workshop, board.start(run))


def _outcome(
    future: "Future[RunRecord]",
    run: PlannedRun,
    workshop: Workshop,
    board: Board,
    waiting: "dict[Future[RunRecord], PlannedRun]",
) -> Iterator[RunRecord]:
    try:
        record = future.result()
    except InterruptedRunError:
        return
    except BaseException:
        workshop.stopping.set()
        wait(waiting)
        raise
    if record.status == RunStatus.FINISHED:
        board.end(run, f"finished in {duration(record.seconds)}")
    else:
        board.end(run, f"{record.status} at step {record.step:,}")
        warn(f"{run.name} {record.status}: {record.reason}")
    yield record


@contextmanager
def _stopping_on_signals(stopping: Event) -> Iterator[None]:
    """A block in which Ctrl-C, SIGTERM and a lost terminal ask for a stop."""

    def request() -> None:
        say("stopping: runs under way save a checkpoint")
        stopping.set()

    if threading.current_thread() is not threading.main_thread():
        yield
    else:
        with asked_to_stop(request):
            yield


def threads_for(jobs: int) -> int:
    """How many threads each of `jobs` trainings may use, so that together they use every core once."""
    return max(1, (os.cpu_count() or 1) // jobs)


def check_data_is_given(runs: Sequence[PlannedRun], is_given: bool) -> None:
    """Makes sure that a plan without runs is not given data that it would ignore.

    Raises:
        RunError: It is.
    """
    if is_given and not runs:
        raise RunError("this plan trains on no faces", "Leave out --data.")
