"""Resolving files, folders and patterns of the command line to pictures."""

import glob
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from srcli.errors import ImageError
from srcli.pictures.formats import PICTURE_ENDINGS

STANDARD_STREAM = "-"

_EARLIER_OUTPUT = re.compile(r"(.+)_x4(-\d+)?\.png", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """A picture to enlarge.

    Attributes:
        path: Its file; None for standard input.
        below: Its folder relative to the given one, so that an output folder can mirror it.
    """

    path: Path | None
    below: Path = Path()

    @property
    def stem(self) -> str:
        """Its name without the extension."""
        return "stdin" if self.path is None else self.path.stem


@dataclass(frozen=True)
class Failure:
    """An input that cannot be opened, and why."""

    input: str
    error: ImageError


@dataclass(frozen=True)
class Found:
    """The pictures found for the inputs, each once, in order, and the inputs without any.

    Attributes:
        others: The visible files in folders whose extensions are not those of pictures.
    """

    sources: list[Source]
    failures: list[Failure] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)


def expand_patterns(inputs: Sequence[str]) -> tuple[list[str], list[Failure]]:
    """Expands patterns to files and folders as a shell would; patterns without a match are failures.

    An existing file is taken literally, even if its name looks like a pattern. `**` matches nested folders.
    """
    names: list[str] = []
    failures: list[Failure] = []
    for text in inputs:
        if not glob.has_magic(text) or os.path.lexists(text):
            names.append(text)
        elif found := sorted(glob.glob(text, recursive=True)):  # noqa: PTH207 - pathlib loses ./ and knows no **
            names += found
        else:
            failures.append(Failure(text, ImageError(f"{text}: no file matches this pattern")))
    return names, failures


def find_sources(inputs: Sequence[str], recursive: bool, leave_out: str | None) -> Found:
    """Finds the pictures for the inputs.

    Args:
        inputs: Files, folders or `-`.
        leave_out: A folder to skip inside other folders: the output folder.
    """
    pictures: dict[str, Source] = {}
    failures: list[Failure] = []
    others: list[Path] = []
    for text in inputs:
        path = Path(text)
        try:
            if text == STANDARD_STREAM:
                inside = Found([Source(None)])
            elif stat.S_ISDIR(kind := path.stat().st_mode):
                inside = _pictures_in(path, recursive, leave_out)
            elif stat.S_ISREG(kind):
                inside = Found([Source(path)])
            else:
                raise ImageError(f"{path}: not a file", "To read a pipe, give -.")
        except OSError as error:
            failures.append(Failure(text, ImageError(f"{path}: {error.strerror}")))
        except ImageError as error:
            failures.append(Failure(text, error))
        else:
            failures += inside.failures
            others += inside.others
            for source in inside.sources:
                pictures.setdefault(os.path.realpath(source.path or ""), source)
    return Found(list(pictures.values()), failures, others)


def _pictures_in(folder: Path, recursive: bool, leave_out: str | None) -> Found:
    outputs = leave_out and os.path.realpath(leave_out)
    errors: list[OSError] = []
    sources: list[Source] = []
    others: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=errors.append):
        here = Path(place)
        visible = sorted(name for name in folders if recursive and not name.startswith("."))
        folders[:] = [name for name in visible if os.path.realpath(here / name) != outputs]
        names = sorted(name for name in names if not name.startswith("."))
        pictures = [name for name in names if Path(name).suffix.lower() in PICTURE_ENDINGS]
        others += [here / name for name in names if Path(name).suffix.lower() not in PICTURE_ENDINGS]
        below = here.relative_to(folder)
        sources += [Source(here / name, below) for name in _without_earlier_outputs(pictures)]
    if not sources and not errors:
        hint = "" if recursive else "Use --recursive to search its subfolders."
        raise ImageError(f"{folder}: no pictures in this folder", hint)
    closed = [
        Failure(str(error.filename), ImageError(f"{error.filename}: {error.strerror}")) for error in errors
    ]
    return Found(sources, closed, others)


def _without_earlier_outputs(pictures: Sequence[str]) -> list[str]:
    """A folder's pictures, without any `a_x4.png` beside its original `a`."""
    stems = {Path(name).stem for name in pictures}
    earlier = ((name, _EARLIER_OUTPUT.fullmatch(name)) for name in pictures)
    return [name for name, match in earlier if not (match and match[1] in stems)]
