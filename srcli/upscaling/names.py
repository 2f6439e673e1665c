"""Names of outputs: patterns and what they become, numbers for names that are taken, folders to write to."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from srcli.errors import UserError

_FIELD = re.compile(r"\{\w*\}")


def has_fields(pattern: str) -> bool:
    """Whether an `--out` names something of the input.

    Raises:
        UserError: It names what is not known.
    """
    found = _FIELD.findall(pattern)
    unknown = [field for field in found if field not in _fields_of(Path())]
    if unknown:
        raise UserError(
            f"--out {pattern} has {unknown[0]} in it",
            "Of face.jpg, {stem} is face, {ext} is jpg and {name} is face.jpg; nothing else is known.",
        )
    return bool(found)


def fill_in(pattern: str, path: Path) -> str:
    """The pattern with `{stem}`, `{ext}` and `{name}` of an input in place of these."""
    fields = _fields_of(path)
    return _FIELD.sub(lambda field: fields[field[0]], pattern)


def _fields_of(path: Path) -> dict[str, str]:
    return {"{stem}": path.stem, "{ext}": path.suffix.removeprefix("."), "{name}": path.name}


def free_name(target: Path, is_taken: Callable[[Path], bool]) -> Path:
    """The first of `name-2.png`, `name-3.png`, ... that is not taken."""
    number = 2
    while is_taken(path := target.with_stem(f"{target.stem}-{number}")):
        number += 1
    return path


def check_folder(folder: Path) -> None:
    """Makes sure that files can be written to a folder, or that it can be made.

    Raises:
        UserError: They cannot.
    """
    nearest = next(place for place in (folder, *folder.parents) if os.path.lexists(place) or not place.name)
    if not nearest.is_dir():
        raise UserError(f"{nearest} is not a folder", "Give another --out.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UserError(f"{nearest} cannot be written to", "Give another --out.")
