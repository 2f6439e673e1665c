"""The log of a run, `metrics.jsonl`: one line a step, each whole or not there."""

import json
import os
from contextlib import suppress
from pathlib import Path

from srcli.errors import RunError
from srcli.runs.directory import RunDirectory
from srcli.storage.atomic import name_file, write_text
from srcli.storage.bounded import JsonObject, parse_json, require_ordinary

MAX_STEP = 10**12


def read_log(path: Path) -> list[JsonObject]:
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


def _log_lines(path: Path) -> list[tuple[bytes, JsonObject | None]]:
    """The lines of a log with their entries; None for a line that is damaged."""
    try:
        require_ordinary(path)
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    return [(line, _log_entry(line)) for line in lines]


def _log_entry(line: bytes) -> JsonObject | None:
    try:
        entry = parse_json(line)
    except ValueError:
        return None
    step = entry.get("step") if isinstance(entry, dict) else None
    return entry if type(step) is int and 0 <= step <= MAX_STEP else None


class RunLog:
    """Appends one JSON object a line to a run's log, each with one unbuffered write.

    In a process that does not keep the run, it does nothing.
    """

    def __init__(self, run: RunDirectory) -> None:
        self._path = run.metrics_file
        self._file = self._path.open("ab", buffering=0) if run.is_kept else None

    def write(self, entry: JsonObject) -> None:
        """Appends one entry, or nothing at all.

        Raises:
            RunError: The run was moved or removed; writing on would make a second one of halves.
            OSError: It could not be written; no part of the line is left where that can be helped.
        """
        if self._file is None:
            return
        self._check_place()
        end, line = os.fstat(self._file.fileno()).st_size, json.dumps(entry).encode() + b"\n"
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file.fileno(), end)
            name_file(error, self._path)
            raise

    def sync(self) -> None:
        """Puts all entries on the disk.

        Raises:
            RunError: The run was moved or removed.
        """
        if self._file is not None:
            self._check_place()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()

    def _check_place(self) -> None:
        if not self._path.exists():
            raise RunError(
                f"{self._path} is gone: the run was moved or removed while it trained",
                "Where it lies now it can be continued with --resume.",
            )
