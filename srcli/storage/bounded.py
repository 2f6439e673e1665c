"""Reading files that may come from strangers: ordinary files only, and never more than is sensible."""

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
    """Makes sure that a path is an ordinary file: opening a pipe would wait for its writer.

    Raises:
        OSError: It is none, or is not there.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))


def read_bounded(path: Path, most: int) -> bytes:
    """The bytes of an ordinary file.

    Raises:
        OSError: It cannot be read, is no ordinary file, or is too large.
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
        ValueError: It is no JSON, or nested too deep.
    """
    try:
        return json.loads(content.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def is_number(value: object) -> bool:
    """Whether a value of JSON is a finite number in the range of 32-bit floats, as all that networks give."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= LARGEST_FLOAT32 and math.isfinite(value)
