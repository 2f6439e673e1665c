"""The log of a run while it trains: one line a step, each whole or not there. `runs.read_log` reads it."""

import json
import os
from contextlib import suppress
from pathlib import Path

from srcli.errors import RunError
from srcli.runs import Record, name_file


class RunLog:
    """Appends one JSON object a line to `metrics.jsonl`, each with one unbuffered write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)

    def write(self, entry: Record) -> None:
        """Appends one entry, or nothing at all.

        Raises:
            RunError: The run was moved or removed; writing on would make a second one of halves.
            OSError: It could not be written; no part of the line is left where that can be helped.
        """
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
        self._check_place()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _check_place(self) -> None:
        if not self._path.exists():
            raise RunError(
                f"{self._path} is gone: the run was moved or removed while it trained",
                "Where it lies now it can be continued with --resume.",
            )
