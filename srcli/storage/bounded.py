"""Reading untrusted files: regular files only, up to a size limit."""

import errno
import json
import math
import stat
from pathlib import Path
from typing import Any

JsonObject = dict[str, Any]
"""A run's record, or an entry of its log."""

LARGEST_FLOAT32 = (2 - 2**-23) * 2.0**127


def require_ordinary(path: Path) -> None:
    """Raises an OSError unless a path is a regular file: opening a pipe would block until it is written."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def read_bounded(path: Path, most: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: It cannot be read, is not a regular file, or is larger than `most` bytes.
    """
    require_ordinary(path)
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return content


def parse_json(content: bytes) -> Any:
    """The value of JSON text in UTF-8.

    Raises:
        ValueError: It is not JSON, or nested too deeply.
    """
    try:
        return json.loads(content.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def is_number(value: object) -> bool:
    """Whether a JSON value is a finite number in the range of 32-bit floats, which networks compute in."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= LARGEST_FLOAT32 and math.isfinite(value)
