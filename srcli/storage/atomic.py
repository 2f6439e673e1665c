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
    """A block that makes something in a folder, or the folder itself.

    Raises:
        OSError: The system does not allow it; the folder is named, or the one it would be in.
    """
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
def atomic_folder(path: Path) -> Iterator[Path]:
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
    with atomic_file(path, "w") as file:
        file.write(text)
    sync_folder(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    with atomic_file(path) as file:
        file.write(content)


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
