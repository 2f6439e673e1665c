"""Which pictures are enlarged, and where each result goes; decided before any work is done."""

import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from srcli.errors import ImageError, UserError
from srcli.picture_formats import PICTURE_ENDINGS
from srcli.ranks import ALONE, Share
from srcli.upscaling.names import check_folder, fill_in, free_name, has_fields

STANDARD_STREAM = "-"

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""The formats that are written, by the ending of the output."""

_EARLIER_OUTPUT = re.compile(r"(.+)_x4(-\d+)?\.png", re.DOTALL)


class OnExist(StrEnum):
    """What to do when an output is already there."""

    FAIL = "fail"
    SKIP = "skip"
    OVERWRITE = "overwrite"
    RENAME = "rename"


@dataclass(frozen=True)
class Source:
    """A picture to enlarge.

    Attributes:
        path: Its file; None for standard input.
        below: Where it lies below the folder that was given, so that an output folder can mirror it.
    """

    path: Path | None
    below: Path = Path()

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        return "stdin" if self.path is None else self.path.stem


@dataclass(frozen=True)
class Job:
    """One picture, and the file that its enlargement becomes; None for the standard streams."""

    source: Path | None
    target: Path | None

    @property
    def name(self) -> str:
        """How messages call the picture."""
        return "standard input" if self.source is None else str(self.source)

    @property
    def format(self) -> str:
        """The output's format, as Pillow calls it."""
        return "PNG" if self.target is None else FORMATS[self.target.suffix.lower()]


@dataclass(frozen=True)
class Failure:
    """An input that cannot be read at all, and why."""

    input: str
    error: ImageError


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        jobs: The pictures to enlarge.
        failures: The inputs that cannot be read at all.
        skipped: The pictures whose outputs are already there and stay.
    """

    jobs: list[Job]
    failures: list[Failure]
    skipped: list[Job]


def plan_jobs(
    inputs: Sequence[str], out: str | None, recursive: bool, on_exist: OnExist, share: Share = ALONE
) -> Plan:
    """Finds the pictures and names their outputs.

    Args:
        inputs: Files, folders, patterns such as `faces/*.png`, or `-` alone for standard input.
        out: A file, a folder, or a pattern with `{stem}`, `{name}` or `{ext}`; None for `{stem}_x4.png`
            beside the input, and standard output for standard input.
        recursive: Whether folders are searched to their depths.
        on_exist: What to do about outputs that are already there.
        share: Which of the pictures are planned, as other processes enlarge the others.

    Raises:
        UserError: The outputs cannot be named, two would be the same file and are not renamed, or one is
            there under `fail`.
    """
    if STANDARD_STREAM in inputs and len(inputs) > 1:
        raise UserError("- stands for standard input and goes alone", "Give either - or files and folders.")
    if STANDARD_STREAM in inputs and not share.is_whole:
        raise UserError("standard input cannot be shared out among processes", "Unset RANK and WORLD_SIZE.")
    if STANDARD_STREAM in inputs and out is None:
        return Plan([Job(None, None)], [], [])
    names, unmatched = expand_patterns(inputs)
    name_output = _output_naming(out, many=len(names) > 1 or any(Path(name).is_dir() for name in names))
    sources, unreadable = find_sources(names, recursive, leave_out=out)
    named = _distinct([(source, name_output(source)) for source in sources], on_exist)
    taken = {target for _, target in named}
    # Before looking for outputs that are there: those of the other processes may be.
    named, failures = share.every_nth(named), share.every_nth(unmatched + unreadable)
    for folder in sorted({target.parent for _, target in named}):
        check_folder(folder)
    jobs, skipped = _settle(named, on_exist, taken)
    return Plan(jobs, failures, skipped)


def expand_patterns(inputs: Sequence[str]) -> tuple[list[str], list[Failure]]:
    """The files and folders that patterns stand for, as a shell would give them, and patterns without any.

    What is there under its own name is no pattern, whatever characters it has. `**` stands for any folders.
    """
    names: list[str] = []
    failures: list[Failure] = []
    for text in inputs:
        if not glob.has_magic(text) or os.path.lexists(text):
            names.append(text)
        elif found := sorted(glob.glob(text, recursive=True)):  # noqa: PTH207 - pathlib loses ./ and knows no **
            names += found
        else:
            failures.append(Failure(text, ImageError(f"{text}: no file has a name of this pattern")))
    return names, failures


def find_sources(
    inputs: Sequence[str], recursive: bool, leave_out: str | None
) -> tuple[list[Source], list[Failure]]:
    """The pictures that the inputs stand for, each once, in order, and the inputs that stand for none.

    Args:
        inputs: Files, folders or `-`.
        recursive: Whether folders are searched to their depths.
        leave_out: A folder that is not searched when it lies inside another: the one for the outputs.
    """
    found: dict[str, Source] = {}
    failures: list[Failure] = []
    for text in inputs:
        path = Path(text)
        try:
            if text == STANDARD_STREAM:
                sources = [Source(None)]
            elif stat.S_ISDIR(kind := path.stat().st_mode):
                sources, unreadable = _pictures_in(path, recursive, leave_out)
                failures += unreadable
            elif stat.S_ISREG(kind):
                sources = [Source(path)]
            else:
                raise ImageError(f"{path}: not a file", "Pipes are read with -.")
        except OSError as error:
            failures.append(Failure(text, ImageError(f"{path}: {error.strerror}")))
        except ImageError as error:
            failures.append(Failure(text, error))
        else:
            for source in sources:
                found.setdefault(os.path.realpath(source.path or ""), source)
    return list(found.values()), failures


def _pictures_in(folder: Path, recursive: bool, leave_out: str | None) -> tuple[list[Source], list[Failure]]:
    outputs = leave_out and os.path.realpath(leave_out)
    errors: list[OSError] = []
    sources: list[Source] = []
    for place, folders, names in os.walk(folder, onerror=errors.append):
        here = Path(place)
        visible = sorted(name for name in folders if recursive and not name.startswith("."))
        folders[:] = [name for name in visible if os.path.realpath(here / name) != outputs]
        pictures = sorted(_without_earlier_outputs(names))
        sources += [Source(here / name, here.relative_to(folder)) for name in pictures]
    if not sources and not errors:
        hint = "" if recursive else "Pictures in deeper folders are found with --recursive."
        raise ImageError(f"{folder}: no pictures in this folder", hint)
    return sources, [
        Failure(str(error.filename), ImageError(f"{error.filename}: {error.strerror}")) for error in errors
    ]


def _without_earlier_outputs(names: Iterable[str]) -> list[str]:
    """The visible pictures among a folder's files, but for `a_x4.png` beside an `a` of its own."""
    pictures = [
        name for name in names if not name.startswith(".") and Path(name).suffix.lower() in PICTURE_ENDINGS
    ]
    stems = {Path(name).stem for name in pictures}
    earlier = ((name, _EARLIER_OUTPUT.fullmatch(name)) for name in pictures)
    return [name for name, match in earlier if not (match and match[1] in stems)]


def _output_naming(out: str | None, many: bool) -> Callable[[Source], Path]:
    """How outputs are named, chosen once for all inputs."""
    if out is None:
        return lambda source: (source.path or Path()).with_name(f"{source.stem}_x4.png")
    path = Path(out)
    if has_fields(out):
        _check_ending(path)
        return lambda source: Path(fill_in(out, source.path or Path(source.stem)))
    is_picture = path.suffix.lower() in PICTURE_ENDINGS
    if out.endswith(("/", os.sep)) or path.is_dir() or (many and not is_picture):
        return lambda source: path / source.below / f"{source.stem}_x4.png"
    if many:
        raise UserError(
            f"--out {out} is one file for several inputs", "Give a folder, or a pattern such as {stem}.png."
        )
    _check_ending(path)
    return lambda _: path


def _check_ending(path: Path) -> None:
    if path.suffix.lower() not in FORMATS:
        raise UserError(
            f"--out {path} ends in none of {', '.join(FORMATS)}",
            "The ending chooses the format; a folder that is not there yet is given with a / at its end.",
        )


def _distinct(named: Sequence[tuple[Source, Path]], on_exist: OnExist) -> list[tuple[Source, Path]]:
    """The inputs and outputs with no output twice: under `rename` all but the first get a number.

    Files that are there are not looked at, so that processes which share the work find the same names.
    """
    first_of: dict[str, Source] = {}
    taken = {target for _, target in named}
    distinct = []
    for source, target in named:
        first = first_of.setdefault(os.path.realpath(target), source)
        if first is source:
            distinct.append((source, target))
        elif on_exist is OnExist.RENAME:
            distinct.append((source, free_name(target, lambda path: path in taken)))
            taken.add(distinct[-1][1])
        else:
            raise UserError(
                f"{first.path} and {source.path} would both become {target}",
                "Give --on-exist rename, or a pattern with {name} as --out, such as big/{name}.png.",
            )
    return distinct


def _check_inputs_stay(named: Sequence[tuple[Source, Path]]) -> None:
    """Makes sure that no output is an input."""
    inputs = {os.path.realpath(source.path) for source, _ in named if source.path}
    for _, target in named:
        if os.path.realpath(target) in inputs:
            raise UserError(f"{target} is one of the inputs and would be overwritten", "Give another --out.")


def _settle(
    named: Sequence[tuple[Source, Path]], on_exist: OnExist, taken: set[Path]
) -> tuple[list[Job], list[Job]]:
    """The jobs, and those whose outputs are there and stay, under the rule for outputs that are there.

    Args:
        taken: All outputs, those of other processes among them.
    """
    there = [target for _, target in named if os.path.lexists(target)]
    match on_exist if there else OnExist.OVERWRITE:
        case OnExist.FAIL:
            more = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
            raise UserError(
                f"{there[0]} already exists{more}", "Choose --on-exist skip, overwrite or rename."
            )
        case OnExist.SKIP:
            stays = set(there)
            jobs = [Job(source.path, target) for source, target in named]
            kept = [job for job in jobs if job.target in stays]
            return [job for job in jobs if job.target not in stays], kept
        case OnExist.RENAME:
            renamed = {
                target: free_name(target, lambda path: path in taken or os.path.lexists(path))
                for target in there
            }
            return [Job(source.path, renamed.get(target, target)) for source, target in named], []
        case OnExist.OVERWRITE:
            _check_inputs_stay(named)
            return [Job(source.path, target) for source, target in named], []
