"""Errors in reading an archive, as errors that name the archive."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from srcli.errors import DataError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def archive_errors(path: Path) -> Iterator[None]:
    """A block that reads an archive, whose errors name the archive.

    Raises:
        DataError: The archive is damaged or cannot be read.
        OSError: The disk has no room for what the block writes.
    """
    try:
        yield
    except DataError as error:
        is_named = str(path) in error.message
        raise (error if is_named else DataError(f"{path} is refused: {error.message}")) from None
    # Damaged archives make tarfile, zipfile and the decompressors raise nearly anything.
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise
        reason = str(error) or type(error).__name__
        raise DataError(f"{path} is damaged or not whole: {reason}", "Fetch it again.") from error
