"""Run directories: where an experiment's record, metrics, samples and checkpoints lie. No torch here."""

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from srcli.errors import RunError
from srcli.reading import parse_json, read_bounded, require_ordinary
from srcli.refusals import telling_of_folder
from srcli.suggestions import runs_like

MAX_RECORD_BYTES = 5_000_000
MAX_STEP = 10**12

Record = dict[str, Any]


@contextmanager
def replacing(path: Path, mode: str = "wb", durable: bool = True) -> Iterator[IO[Any]]:
    """Opens a file beside `path` that takes its place when the block ends well, and vanishes when not.

    Args:
        path: The file.
        mode: As that of `open`.
        durable: Whether it is on the disk before it takes its place, and whole after a power failure.
    """
    with telling_of_folder(path.parent):
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
        with suppress(OSError):  # the first error is the one to tell
            part.unlink()
        name_file(error, path)
        raise


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` that takes its place when the block ends well, and vanishes when not.

    All that is in it is on the disk before it takes its place, so that it is whole after a power loss too.

    Raises:
        OSError: Something other than an empty folder is at `path` by then.
    """
    with telling_of_folder(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
    try:
        yield part
        part.chmod(0o777 & ~_umask())
        _sync_tree(part)
        part.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        name_file(error, path)
        raise


def remove_folder(path: Path) -> None:
    """Removes a folder that is never seen half removed: it loses its name first."""
    with telling_of_folder(path.parent):
        part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
    path.replace(part)
    shutil.rmtree(part)


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole or not at all; once this returns, a power loss does not undo it."""
    with replacing(path, "w") as file:
        file.write(text)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Puts a folder's entries on the disk: what was made, renamed and removed in it."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file whole or not at all, indented, one trailing newline."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def name_file(error: BaseException, path: Path) -> None:
    """Says in an error which file it is about; writing to a full disk does not."""
    if isinstance(error, OSError) and error.filename is None:
        error.filename = str(path)


@dataclass(frozen=True)
class RunDirectory:
    """The places inside one run, and the reading and writing of its plain records.

    Attributes:
        is_kept: Whether this process writes it; of several that train together, one does.
    """

    path: Path
    is_kept: bool = True

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
    path: Path, experiment_text: str, record: Record, fill: Callable[[RunDirectory], None] | None = None
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
        with replacing_folder(path) as folder:
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
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"


def read_log(path: Path) -> list[Record]:
    """The entries of a `metrics.jsonl`; a last line still being written is left out.

    Raises:
        RunError: The file is missing, or a line before the last is damaged.
    """
    lines = _log_lines(path)
    for number, (_, entry) in enumerate(lines[:-1], 1):
        if entry is None:
            raise RunError(f"{path}, line {number} is damaged: it should be an object with a step")
    return [entry for _, entry in lines if entry is not None]


def logged_steps(path: Path) -> int:
    """The last step up to which a `metrics.jsonl` has every one, in order; 0 for a file that is missing."""
    last = 0
    for _, entry in _log_lines(path) if path.exists() else []:
        if entry is None or entry["step"] != last + 1:
            break
        last += 1
    return last


def cut_log(path: Path, step: int) -> None:
    """Drops damaged lines and every entry after `step`, so that a continued run logs each step once."""
    kept, last = [], 0
    for line, entry in _log_lines(path) if path.exists() else []:
        if entry is not None and last < entry["step"] <= step:
            kept.append(line.decode() + "\n")
            last = entry["step"]
    write_text(path, "".join(kept))


def _log_lines(path: Path) -> list[tuple[bytes, Record | None]]:
    """The lines of a log with their entries; None for a line that is damaged."""
    try:
        require_ordinary(path)
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    return [(line, _log_entry(line)) for line in lines]


def _log_entry(line: bytes) -> Record | None:
    try:
        entry = parse_json(line)
    except ValueError:
        return None
    step = entry.get("step") if isinstance(entry, dict) else None
    return entry if type(step) is int and 0 <= step <= MAX_STEP else None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_tree(folder: Path) -> None:
    for place, _, files in os.walk(folder, topdown=False):
        for file in files:
            _sync(Path(place, file), os.O_RDONLY)
        sync_folder(Path(place))


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems have no such call
            raise
    finally:
        os.close(descriptor)
