"""Run directories: where an experiment's record, metrics, samples and checkpoints lie. No torch here."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from srcli.errors import RunError

RUNNING, FINISHED, INTERRUPTED, DIVERGED = "running", "finished", "interrupted", "diverged"

Record = dict[str, Any]


@contextmanager
def replacing(path: Path, mode: str = "wb", durable: bool = True) -> Iterator[IO[Any]]:
    """Opens a file beside `path` that takes its place when the block ends well, and vanishes when not.

    Args:
        path: The file.
        mode: As that of `open`.
        durable: Whether it is on the disk before it takes its place, and whole after a power failure.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        _name_file(error, path)
        raise


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` that takes its place when the block ends well, and vanishes when not.

    Raises:
        OSError: Something other than an empty folder is at `path` by then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
    try:
        yield part
        part.chmod(0o777 & ~_umask())
        part.replace(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole or not at all."""
    with replacing(path, "w") as file:
        file.write(text)


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file whole or not at all, indented, one trailing newline."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class RunDirectory:
    """The places inside one run, and the reading and writing of its plain records."""

    path: Path

    @property
    def experiment_file(self) -> Path:
        return self.path / "experiment.yaml"

    @property
    def record_file(self) -> Path:
        return self.path / "run.json"

    @property
    def metrics_file(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def checkpoint(self, step: int) -> Path:
        """The folder of the checkpoint taken after `step` generator updates."""
        return self.checkpoints / f"step-{step:06d}"

    def checkpoint_steps(self) -> list[int]:
        """The steps of all whole checkpoints, ascending."""
        found = (re.fullmatch(r"step-(\d{6,})", entry.name) for entry in self.checkpoints.glob("step-*"))
        return sorted(int(match[1]) for match in found if match)

    def record(self) -> Record:
        """The run's `run.json`.

        Raises:
            RunError: The folder is not a run, or its record is damaged.
        """
        try:
            value = json.loads(self.record_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{self.path} is not a run", "A run is a folder with a run.json.") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{self.record_file} cannot be read: {error}") from error
        if not isinstance(value, dict):
            raise RunError(f"{self.record_file} is not a run's record: it should hold one JSON object")
        return value

    def update_record(self, **changes: Any) -> None:
        """Writes `run.json` anew with some of its fields changed."""
        write_json(self.record_file, {**self.record(), **changes})


def create_run(path: Path, experiment_text: str, record: Record) -> RunDirectory:
    """Makes a new run directory with its experiment and its record.

    Raises:
        RunError: Something is already at `path`.
    """
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise RunError(
            f"{path} already exists", "Give another --out, or continue that run with --resume."
        ) from None
    run = RunDirectory(path)
    run.samples.mkdir()
    run.checkpoints.mkdir()
    write_text(run.experiment_file, experiment_text)
    write_json(run.record_file, record)
    run.metrics_file.touch()
    return run


def next_run_path(parent: Path, name: str) -> Path:
    """The first `parent/name-N` that is not there yet, counting N from 1."""
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"


class RunLog:
    """Appends one JSON object a line to `metrics.jsonl`, flushed line by line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a", encoding="utf-8")

    def write(self, entry: Record) -> None:
        """Appends one entry."""
        try:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
        except OSError as error:
            _name_file(error, self._path)
            raise

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def read_log(path: Path) -> list[Record]:
    """The entries of a `metrics.jsonl`; a last line still being written is left out.

    Raises:
        RunError: The file is missing, or a line before the last is damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    entries: list[Record] = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict) or not isinstance(entry.get("step"), int):
                raise ValueError("it should be an object with a step")
        except ValueError as error:
            if number == len(lines):
                break
            raise RunError(f"{path}, line {number} is damaged: {error}") from None
        entries.append(entry)
    return entries


def cut_log(path: Path, step: int) -> None:
    """Drops every entry after `step`, so that a continued run logs each step once."""
    kept = [entry for entry in read_log(path) if entry["step"] <= step]
    write_text(path, "".join(json.dumps(entry) + "\n" for entry in kept))


def _name_file(error: BaseException, path: Path) -> None:
    """Says in an error which file it is about; writing to a full disk does not."""
    if isinstance(error, OSError) and error.filename is None:
        error.filename = str(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
