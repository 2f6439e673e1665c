"""Files and folders written whole or not at all."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

_REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def telling_of_folder(folder: Path) -> Iterator[None]:
    """Names the folder, or its nearest parent that exists, in errors about creating it or a file in it."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        there = next(place for place in (folder, *folder.parents) if place.exists() or place == place.parent)
        reason = f"nothing can be created in this folder: {error.strerror}"
        raise OSError(error.errno, reason, str(there)) from error


@contextmanager
def atomic_file(path: Path, mode: str = "wb", durable: bool = True) -> Iterator[IO[Any]]:
    """Opens a temporary file beside `path` that replaces it when the block succeeds and is removed otherwise.

    Args:
        durable: Whether to fsync before renaming, so that the file is whole after a power loss.
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
        with suppress(OSError):  # the first error is the one to report
            part.unlink()
        name_file(error, path)
        raise


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Makes a temporary folder that becomes `path` when the block succeeds and is removed otherwise.

    Its contents are synced to disk before it is renamed, so that it is whole after a power loss too.

    Raises:
        OSError: By then `path` exists and is not an empty folder.
    """
    with telling_of_folder(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
    try:
        yield part
        part.chmod(0o777 & ~_umask())
        for place, _, files in os.walk(part, topdown=False):
            for name in (*files, "."):
                _sync(Path(place, name))
        part.replace(path)
        _sync(path.parent)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        name_file(error, path)
        raise


def remove_folder(path: Path) -> None:
    """Removes a folder atomically, by renaming it first."""
    with telling_of_folder(path.parent):
        part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
    path.replace(part)
    shutil.rmtree(part)


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically; it survives a power loss after this returns."""
    with atomic_file(path, "w") as file:
        file.write(text)
    _sync(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file atomically."""
    with atomic_file(path) as file:
        file.write(content)


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file atomically, indented, with a trailing newline."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def name_file(error: BaseException, path: Path) -> None:
    """Adds the file name to an error that lacks it, as one from a full disk does."""
    if isinstance(error, OSError) and error.filename is None:
        error.filename = str(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync(path: Path) -> None:
    """Syncs a file's contents to disk, or a folder's entries: files created, renamed and removed in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems do not support it
            raise
    finally:
        os.close(descriptor)
