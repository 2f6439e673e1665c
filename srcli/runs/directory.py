"""Run directories: the record, metrics, samples and checkpoints of an experiment. No torch here."""

import difflib
import errno
import itertools
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from srcli.errors import RunError
from srcli.storage.atomic import atomic_folder, write_json, write_text
from srcli.storage.bounded import JsonObject, parse_json, read_bounded

MAX_RECORD_BYTES = 5_000_000


class RunDirectory:
    """The paths inside one run, and the reading and writing of its record.

    Args:
        is_kept: Whether this process writes it; of several that train together, one does.
    """

    def __init__(self, path: Path, is_kept: bool = True) -> None:
        self.path, self.is_kept = path, is_kept
        self.experiment_file, self.record_file = path / "experiment.yaml", path / "run.json"
        self.metrics_file = path / "metrics.jsonl"
        self.samples, self.checkpoints = path / "samples", path / "checkpoints"

    def checkpoint(self, step: int) -> Path:
        """The folder of the checkpoint taken after `step` generator updates."""
        return self.checkpoints / f"step-{step:06d}"

    def sample(self, step: int) -> Path:
        """The picture of the test faces after `step` generator updates."""
        return self.samples / f"step-{step:06d}.png"

    def checkpoint_steps(self) -> list[int]:
        """The steps of all whole checkpoints, ascending."""
        found = (re.fullmatch(r"step-(\d{6,})", entry.name) for entry in self.checkpoints.glob("step-*"))
        return sorted(int(match[1]) for match in found if match)

    def record(self) -> JsonObject:
        """The run's `run.json`.

        Raises:
            RunError: The folder is not a run, or its record is damaged.
        """
        try:
            value = parse_json(read_bounded(self.record_file, MAX_RECORD_BYTES))
        except FileNotFoundError:
            hint = "A run is a folder with a run.json, as `srcli train` makes it."
            raise RunError(f"{self.path} is not a run", runs_like(self.path) or hint) from None
        except (OSError, ValueError) as error:
            raise RunError(f"{self.record_file} cannot be read: {error}") from error
        if not isinstance(value, dict):
            raise RunError(f"{self.record_file} is not a run's record: it should hold one JSON object")
        return value

    def update_record(self, **changes: Any) -> None:
        """Writes `run.json` anew with some of its fields changed, where this process keeps the run.

        Fields that are None are left out.
        """
        if self.is_kept:
            changed = {**self.record(), **changes}
            present = {name: value for name, value in changed.items() if value is not None}
            write_json(self.record_file, present)

    def remove_leftovers(self) -> None:
        """Removes what a process left half written when it was killed. Only for who holds the run's lock."""
        for folder in (self.path, self.samples, self.checkpoints):
            for part in folder.glob(".*.part"):
                shutil.rmtree(part) if part.is_dir() else part.unlink()


def create_run(
    path: Path, experiment_text: str, record: JsonObject, fill: Callable[[RunDirectory], None] | None = None
) -> RunDirectory:
    """Makes a new run directory, whole or not at all.

    Args:
        fill: Puts in what else the run starts with, before it is at `path`.

    Raises:
        RunError: Something is already at `path`.
    """
    taken = RunError(f"{path} already exists", "Give another --out, or continue that run with --resume.")
    if path.exists():
        raise taken
    try:
        with atomic_folder(path) as folder:
            run = RunDirectory(folder)
            run.samples.mkdir()
            run.checkpoints.mkdir()
            write_text(run.experiment_file, experiment_text)
            write_json(run.record_file, record)
            run.metrics_file.touch()
            if fill is not None:
                fill(run)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):  # another process was faster
            raise taken from None
        raise
    return RunDirectory(path)


def next_run_path(parent: Path, name: str) -> Path:
    """The first `parent/name-N` that is not there yet, counting N from 1."""
    paths = (parent / f"{name}-{number}" for number in itertools.count(1))
    return next(path for path in paths if not path.exists())


def runs_like(path: Path) -> str:
    """A hint that names a similar run beside a path or in `runs`, else the newest; empty without any."""
    records = [record for folder in (path.parent, Path("runs")) for record in folder.glob("*/run.json")]
    runs = {str(record.parent): record for record in records}
    names = [Path(run).name for run in runs]
    close = difflib.get_close_matches(path.name, names, n=1)
    if close:
        return f"Did you mean {next(run for run in runs if Path(run).name == close[0])}?"
    newest = sorted(runs, key=lambda run: runs[run].stat().st_mtime, reverse=True)
    return f"Runs here: {', '.join(newest[:3])}." if newest else ""
