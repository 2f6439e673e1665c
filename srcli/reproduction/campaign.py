"""Training the runs of a plan, several at a time, with a table of progress."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from threading import Event, Lock

from rich.progress import Progress, TaskID

from srcli.console import progress, say, warn
from srcli.errors import InterruptedRunError
from srcli.reproduction.plan import PlannedRun
from srcli.reproduction.records import RunRecord
from srcli.reproduction.training_run import Workshop, complete
from srcli.runs.status import RunStatus
from srcli.training.dry_run import duration
from srcli.training.stopping import asked_to_stop


def make_runs(runs: Sequence[PlannedRun], workshop: Workshop, jobs: int) -> list[RunRecord]:
    """Trains and records runs in order, `jobs` at a time.

    Returns:
        Their records, also of runs that failed.

    Raises:
        InterruptedRunError: On Ctrl-C or SIGTERM, after every run has saved a checkpoint.
        RunError: A folder holds a run with other settings; runs under way have been stopped as above.
    """
    done: list[RunRecord] = []
    with _stopping_on_signals(workshop.stopping), progress("steps") as bar, ThreadPoolExecutor(jobs) as pool:
        board = Board(bar, runs, jobs)
        waiting = {pool.submit(_complete, run, workshop, board): run for run in runs}
        while waiting:
            finished, _ = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in finished:
                run = waiting.pop(future)
                try:
                    record = future.result()
                except InterruptedRunError:
                    continue
                except BaseException:
                    workshop.stopping.set()
                    wait(waiting)
                    raise
                board.end(run, record)
                done.append(record)
    if workshop.stopping.is_set():
        raise InterruptedRunError("stopped; every run has saved a checkpoint", "The same command goes on.")
    return done


class Board:
    """The table of progress: a line for each run under way, and one for all of them with the time left."""

    def __init__(self, bar: Progress, runs: Sequence[PlannedRun], jobs: int) -> None:
        self._bar, self._jobs, self._lock = bar, jobs, Lock()
        self._left = {run.name: (run.cell, run.experiment.training.steps) for run in runs}
        self._pace: dict[str, float] = {}  # seconds per step, by cell
        self._tasks: dict[str, TaskID] = {}
        self._all = bar.add_task("all runs", total=len(runs), rate="-", note="")

    def start(self, run: PlannedRun) -> Callable[[int], None]:
        """Shows a run and returns what is to be told the steps it has done."""
        total = run.experiment.training.steps
        task = self._tasks[run.name] = self._bar.add_task(run.name, total=total, rate="-", note="")
        began, first = time.perf_counter(), None

        def report(done: int) -> None:
            nonlocal first, began
            if first is None:
                first, began = done, time.perf_counter()
            with self._lock:
                self._left[run.name] = run.cell, total - done
                rate = "-"
                if done > first:
                    pace = self._pace[run.cell] = (time.perf_counter() - began) / (done - first)
                    rate = f"{1 / pace:.2f}"
                self._bar.update(task, completed=done, rate=rate)
                self._bar.update(self._all, note=self._time_left())

        return report

    def end(self, run: PlannedRun, record: RunRecord) -> None:
        """Removes a run and says how it ended."""
        with self._lock:
            del self._left[run.name]
            self._bar.remove_task(self._tasks.pop(run.name))
            self._bar.update(self._all, advance=1, note=self._time_left())
        is_finished = record.status == RunStatus.FINISHED
        ending = f"in {duration(record.seconds)}" if is_finished else f"at step {record.step:,}"
        parts = (f"{run.name}: {record.status} {ending}", self._time_left())
        say("; ".join(part for part in parts if part))
        if not is_finished:
            warn(f"{run.name} {record.status}: {record.reason}")

    def _time_left(self) -> str:
        """An estimate for all runs; cells that have not run yet are taken to be as fast as the others."""
        if not self._pace:
            return ""
        mean = sum(self._pace.values()) / len(self._pace)
        seconds = sum(self._pace.get(cell, mean) * steps for cell, steps in self._left.values()) / self._jobs
        return f"about {duration(seconds)} left in all"


def _complete(run: PlannedRun, workshop: Workshop, board: Board) -> RunRecord:
    if workshop.stopping.is_set():
        raise InterruptedRunError(f"{run.name} was not started")
    say(f"{run.name}: training to step {run.experiment.training.steps:,}")
    return complete(run, workshop, board.start(run))


def _stopping_on_signals(stopping: Event) -> AbstractContextManager[object]:
    """A block in which Ctrl-C, SIGTERM and a lost terminal ask for a stop."""

    def request() -> None:
        say("stopping: runs under way save a checkpoint")
        stopping.set()

    is_main = threading.current_thread() is threading.main_thread()
    return asked_to_stop(request) if is_main else nullcontext()
