"""The lock of a run, which ends with the process that holds it, however that ends."""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from srcli.console import warn
from srcli.errors import RunError
from srcli.runs.directory import RunDirectory
from srcli.runs.status import RunStatus

LOCK_FILE = "lock"
TRIES, SECONDS_BETWEEN = 10, 0.1  # someone may just be looking, or be about to end

_HELD = (errno.EAGAIN, errno.EACCES)
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL)


@contextmanager
def locked(run: RunDirectory) -> Iterator[None]:
    """Holds the lock of a run.

    Raises:
        RunError: Another process holds it.
    """
    path = run.path / LOCK_FILE
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _take(descriptor, path):
            owner = os.pread(descriptor, 300, 0).decode(errors="replace").strip() or "another process"
            raise RunError(f"{run.path} is being trained by {owner}", "Wait for it, or stop it first.")
        with suppress(OSError):  # who it is only makes a better message: a full disk need not know
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def actual_state(run: RunDirectory) -> str:
    """The status of a run in words that follow its name; empty for one that finished.

    A record says `running` for ever when its process was killed: then nobody holds the run's lock.
    """
    record = run.record()
    states: dict[str, str] = {
        RunStatus.RUNNING: "is still training",
        RunStatus.INTERRUPTED: "was interrupted before its last step",
        RunStatus.DIVERGED: f"diverged at step {record.get('step')}",
        RunStatus.UNHEALTHY: f"was stopped as unhealthy at step {record.get('step')}",
        RunStatus.FAILED: f"failed: {record.get('reason')}",
    }
    if record.get("status") == RunStatus.RUNNING and _is_free(run):
        return "was killed while it trained"
    return states.get(str(record.get("status")), "")


def is_being_trained(run: RunDirectory) -> bool:
    """Whether a process holds the run's lock, or may hold it where that can't be known."""
    return (run.path / LOCK_FILE).exists() and not _is_free(run)


def _take(descriptor: int, path: Path) -> bool:
    for attempt in range(TRIES):
        time.sleep(SECONDS_BETWEEN if attempt else 0)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                warn(f"{path} cannot be locked here: see that no other process trains this run")
                return True
            if error.errno not in _HELD:
                raise
        else:
            return True
    return False


def _is_free(run: RunDirectory) -> bool:
    """Whether certainly no process holds the lock."""
    try:
        descriptor = os.open(run.path / LOCK_FILE, os.O_RDONLY | os.O_NONBLOCK)  # it may be a pipe
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
