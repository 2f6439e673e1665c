"""Which pictures are enlarged, and where each result goes; decided before any work is done."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from srcli.errors import UserError
from srcli.pictures.formats import PICTURE_ENDINGS
from srcli.processes import ALONE, Share
from srcli.upscaling.finding import STANDARD_STREAM, Failure, Source, expand_patterns, find_sources
from srcli.upscaling.names import check_folder, fill_in, free_name, has_fields

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""The formats that are written, by the ending of the output."""

SHOWN_OTHERS = 3
"""So many of the files that are passed over are named; a folder may hold thousands."""


class OnExist(StrEnum):
    """What to do when an output is already there."""

    FAIL = "fail"
    SKIP = "skip"
    OVERWRITE = "overwrite"
    RENAME = "rename"


class FacesMode(StrEnum):
    """What is made of the faces in a photograph."""

    CROPS = "crops"
    PASTE = "paste"


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
class Plan:
    """What is to be done.

    Attributes:
        jobs: The pictures to enlarge.
        failures: The inputs that cannot be read at all.
        skipped: The pictures whose outputs are already there and stay.
        others: The files in folders that are no pictures by their endings.
    """

    jobs: list[Job]
    failures: list[Failure]
    skipped: list[Job]
    others: Sequence[Path] = ()


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
    found = find_sources(names, recursive, leave_out=out)
    named = _distinct([(source, name_output(source)) for source in found.sources], on_exist)
    taken = {target for _, target in named}
    # Before looking for outputs that are there: those of the other processes may be.
    named, failures = share.every_nth(named), share.every_nth(unmatched + found.failures)
    for folder in sorted({target.parent for _, target in named}):
        check_folder(folder)
    jobs, skipped = _settle(named, on_exist, taken)
    return Plan(jobs, failures, skipped, tuple(share.every_nth(found.others)))


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


def describe_others(others: Sequence[Path]) -> list[str]:
    """A line for each kind of file that was passed over in folders, with the first of them by name."""
    kinds: dict[str, list[Path]] = {}
    for path in others:
        kinds.setdefault(path.suffix.lower(), []).append(path)
    return [
        f"{', '.join(map(str, files[:SHOWN_OTHERS]))}{_and_more(len(files))}: skipped, no picture by"
        f" {'its' if len(files) == 1 else 'their'} ending {ending or '(none)'}"
        for ending, files in kinds.items()
    ]


def _and_more(count: int) -> str:
    return f" and {count - SHOWN_OTHERS:,} more" if count > SHOWN_OTHERS else ""
