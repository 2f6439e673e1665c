"""Runs the program on thousands of hostile inputs of one kind: `python tests/fuzz.py --inputs 5000 KIND`.

Every input is a function of its kind and number, so `--first 1234 --inputs 1 --keep FOLDER` reproduces one.
Inputs run in warm worker processes; one that hangs or dies is replaced.
"""

import argparse
import multiprocessing
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from fuzzing.archives import Archives
from fuzzing.datasets import Datasets
from fuzzing.pictures import Pictures
from fuzzing.portable import PortableFiles
from fuzzing.presets import Presets
from fuzzing.watching import Kind, Outcome, sandbox_in, watch, write_input
from fuzzing.weights import ResumeFiles, WeightFiles

KINDS: tuple[type[Kind], ...] = (
    Pictures,
    WeightFiles,
    PortableFiles,
    ResumeFiles,
    Presets,
    Datasets,
    Archives,
)
"""To add a kind, write a class like these and add an entry."""

MOST_CPU_SECONDS, MOST_WAIT_SECONDS = 30.0, 600.0
"""Limits of an input: CPU seconds, and seconds without an answer from its worker."""


def main() -> int:
    """Runs the requested inputs; returns 0 if nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=[*_by_name(), "all"])
    parser.add_argument("--inputs", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="write the inputs that something was found with here")
    asked = parser.parse_args()
    names = list(_by_name()) if asked.kind == "all" else [asked.kind]
    return 1 if sum(_run(name, asked.first, asked.inputs, asked.keep) for name in names) else 0


def _run(name: str, first: int, inputs: int, keep: Path | None) -> int:
    started, outcomes, numbers = time.perf_counter(), [], []
    with tempfile.TemporaryDirectory(prefix="srcli-fuzz-") as folder:
        while len(outcomes) < inputs:
            start = first + len(outcomes)
            for outcome in _worker_outcomes(name, start, first + inputs, Path(folder)):
                if outcome.is_bad:
                    numbers.append(first + len(outcomes))
                    print(f"--- {name} {numbers[-1]}: {outcome.kind}\n{outcome.detail}", flush=True)
                outcomes.append(outcome)
    if keep is not None:
        for number in numbers:
            write_input(_by_name()[name](), number, keep / f"{name}-{number}")
    counts = Counter(outcome.kind for outcome in outcomes)
    seconds, peak = max(o.seconds for o in outcomes), max(o.peak_bytes for o in outcomes)
    whole = time.perf_counter() - started
    print(
        f"{name}: {len(outcomes)} inputs in {whole:.0f} s: {dict(sorted(counts.items()))};"
        f" slowest {seconds:.2f} s, highest peak {peak / 1e6:.0f} MB",
        flush=True,
    )
    return len(numbers)


def _worker_outcomes(name: str, start: int, stop: int, folder: Path) -> Iterator[Outcome]:
    """The outcomes of inputs in order; ends early at one that kills its worker."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    worker = context.Process(target=_work, args=(name, start, stop, folder, theirs), daemon=True)
    worker.start()
    theirs.close()
    mine.recv()  # imports are done
    try:
        for _ in range(start, stop):
            try:
                outcome = mine.recv() if mine.poll(MOST_WAIT_SECONDS) else Outcome("hang")
            except EOFError:
                worker.join()
                outcome = Outcome("died", f"exit code {worker.exitcode}")
            yield outcome
            if outcome.kind in ("hang", "died"):
                return
    finally:
        worker.kill()
        worker.join()


def _work(name: str, start: int, stop: int, folder: Path, results: Connection) -> None:
    kind = _by_name()[name]()
    with sandbox_in(folder) as sandbox:
        results.send("ready")
        for number in range(start, stop):
            signal.setitimer(signal.ITIMER_PROF, MOST_CPU_SECONDS)  # its signal ends the worker
            results.send(watch(kind, number, sandbox))


def outcomes_here(name: str, first: int, inputs: int, folder: Path) -> list[Outcome]:
    """The outcomes of some inputs in this process, which they may kill."""
    kind = _by_name()[name]()
    with sandbox_in(folder) as sandbox:
        return [watch(kind, number, sandbox) for number in range(first, first + inputs)]


def _by_name() -> dict[str, type[Kind]]:
    return {kind.name: kind for kind in KINDS}


if __name__ == "__main__":
    sys.exit(main())
