"""Reading small files that may come from strangers: ordinary files only, and never more than is sensible."""

import errno
import json
import stat
from pathlib import Path
from typing import Any


def read_bounded(path: Path, most: int) -> bytes:
    """The bytes of an ordinary file.

    Raises:
        OSError: It cannot be read, is no ordinary file (a pipe would keep us waiting), or is too large.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
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
