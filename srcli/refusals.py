"""Folders in which the system lets nothing be made, told of as such, not by the name of a temporary file."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
        reason = f"nothing can be made in this folder: {error.strerror}"
        raise OSError(error.errno, reason, str(there)) from error
