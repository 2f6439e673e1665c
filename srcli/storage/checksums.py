"""SHA-256 checksums of files, in the format of `sha256sum --check`."""

import errno
import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from srcli.errors import CheckpointError
from srcli.storage.atomic import write_text
from srcli.storage.bounded import read_bounded, require_ordinary

SUMS_FILE = "SHA256SUMS"
MAX_SUMS_BYTES = 1_000_000


def sha256_of(path: Path) -> str:
    """The SHA-256 of a regular file's contents, in hexadecimal."""
    require_ordinary(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_released(path: Path, sha256: str) -> bytes:
    """The content of a file that comes with srcli.

    Raises:
        CheckpointError: It is missing or not the file that was released.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}", "Install srcli again.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckpointError(f"{path} is not the file that srcli came with", "Install srcli again.")
    return content


def write_checksums(folder: Path) -> None:
    """Writes the checksums of all files in a folder to its SHA256SUMS."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    write_text(folder / SUMS_FILE, "".join(f"{sha256_of(path)}  {path.name}\n" for path in files))


def read_checksums(folder: Path) -> dict[str, str]:
    """A folder's checksums by file name, empty if it has none; malformed lines are ignored."""
    try:
        text = read_bounded(folder / SUMS_FILE, MAX_SUMS_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return {}
    lines = re.findall(r"^([0-9a-f]{64})  ([^/\n]+)$", text, re.MULTILINE)
    return {name: checksum for checksum, name in lines}


def check_files(folder: Path, names: Collection[str]) -> None:
    """Verifies the checksums of files in a folder.

    Raises:
        CheckpointError: A file or its checksum is missing, or they do not match.
    """
    if not (folder / SUMS_FILE).exists():
        raise CheckpointError(f"{folder} is damaged: it has no {SUMS_FILE}")
    checksums = read_checksums(folder)
    for name in names:
        path = folder / name
        if name not in checksums:
            raise CheckpointError(f"{folder / SUMS_FILE} is damaged: it does not list {name}")
        try:
            actual = sha256_of(path)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EIO, errno.EINVAL):
                raise
            raise CheckpointError(f"{path} is damaged: {error.strerror}") from error
        if actual != checksums[name]:
            raise CheckpointError(f"{path} is damaged: it does not have its checksum")
