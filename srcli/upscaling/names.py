"""Names of outputs: patterns, numbers for taken names, and checks of output folders."""

import os
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

from srcli.errors import UserError

_FIELD = re.compile(r"\{\w*\}")


def has_fields(pattern: str) -> bool:
    """Whether `--out` has fields such as `{stem}`.

    Raises:
        UserError: It has an unknown field.
    """
    found = _FIELD.findall(pattern)
    unknown = [field for field in found if field not in _fields_of(Path())]
    if unknown:
        raise UserError(
            f"--out {pattern} has the unknown field {unknown[0]}",
            "For face.jpg, {stem} is face, {ext} is jpg and {name} is face.jpg.",
        )
    return bool(found)


def fill_in(pattern: str, path: Path) -> str:
    """The pattern with `{stem}`, `{ext}` and `{name}` replaced by those of an input."""
    fields = _fields_of(path)
    return _FIELD.sub(lambda field: fields[field[0]], pattern)


def _fields_of(path: Path) -> dict[str, str]:
    return {"{stem}": path.stem, "{ext}": path.suffix.removeprefix("."), "{name}": path.name}


def free_name(target: Path, is_taken: Callable[[Path], bool]) -> Path:
    """The first of `name-2.png`, `name-3.png`, ... that is not taken."""
    names = (target.with_stem(f"{target.stem}-{number}") for number in count(2))
    return next(path for path in names if not is_taken(path))


def check_folder(folder: Path) -> None:
    """Checks that files can be written to a folder, or that it can be created.

    Raises:
        UserError: They cannot, or it cannot.
    """
    nearest = next(place for place in (folder, *folder.parents) if os.path.lexists(place) or not place.name)
    if not nearest.is_dir():
        raise UserError(f"{nearest} is not a folder", "Give another --out.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UserError(f"{nearest} is not writable", "Give another --out.")
