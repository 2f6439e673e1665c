"""Planning which pictures are enlarged and where each output goes, before any work is done."""

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
"""Output formats by extension."""

SHOWN_OTHERS = 3
"""Skipped files named in a message; a folder may hold thousands."""


class OnExist(StrEnum):
    """What to do if an output already exists."""

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
    """One picture and its output file; None for the standard streams."""

    source: Path | None
    target: Path | None

    @property
    def name(self) -> str:
        """The picture's name in messages."""
        return "standard input" if self.source is None else str(self.source)

    @property
    def format(self) -> str:
        """Pillow's name of the output format."""
        return "PNG" if self.target is None else FORMATS[self.target.suffix.lower()]


@dataclass(frozen=True)
class Plan:
    """The pictures to enlarge, and what is passed over.

    Attributes:
        skipped: The pictures whose outputs already exist and are kept.
        others: As in `Found`.
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
        share: This process's share of the pictures.

    Raises:
        UserError: The outputs cannot be named, two would be the same file and are not renamed, or one
            exists under `fail`.
    """
    if STANDARD_STREAM in inputs and len(inputs) > 1:
        what = "- is standard input and cannot be combined with other inputs"
        raise UserError(what, "Give one or the other.")
    if STANDARD_STREAM in inputs and not share.is_whole:
        raise UserError("standard input cannot be split between processes", "Unset RANK and WORLD_SIZE.")
    if STANDARD_STREAM in inputs and out is None:
        return Plan([Job(None, None)], [], [])
    names, unmatched = expand_patterns(inputs)
    name_output = _output_naming(out, many=len(names) > 1 or any(Path(name).is_dir() for name in names))
    found = find_sources(names, recursive, leave_out=out)
    named = _distinct([(source, name_output(source)) for source in found.sources], on_exist)
    taken = {target for _, target in named}
    # Before looking for existing outputs, since other processes may have written theirs.
    named, failures = share.every_nth(named), share.every_nth(unmatched + found.failures)
    for folder in sorted({target.parent for _, target in named}):
        check_folder(folder)
    jobs, skipped = _settle(named, on_exist, taken)
    return Plan(jobs, failures, skipped, tuple(share.every_nth(found.others)))


def _output_naming(out: str | None, many: bool) -> Callable[[Source], Path]:
    """The function that names outputs, chosen once for all inputs."""
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
            f"--out {path} does not end in one of {', '.join(FORMATS)}",
            "The extension chooses the format; to create a folder, end it with a /.",
        )


def _distinct(named: Sequence[tuple[Source, Path]], on_exist: OnExist) -> list[tuple[Source, Path]]:
    """Makes outputs distinct: under `rename`, all but the first of a name get a number.

    Existing files do not matter here, so that all processes that share the work choose the same names.
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


def _settle(
    named: Sequence[tuple[Source, Path]], on_exist: OnExist, taken: set[Path]
) -> tuple[list[Job], list[Job]]:
    """The jobs to do, and those skipped because their outputs exist; `taken` are all processes' outputs."""
    there = [target for _, target in named if os.path.lexists(target)]
    match on_exist if there else OnExist.OVERWRITE:
        case OnExist.FAIL:
            more = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
            raise UserError(
                f"{there[0]} already exists{more}", "Choose --on-exist skip, overwrite or rename."
            )
        case OnExist.SKIP:
            jobs = [Job(source.path, target) for source, target in named]
            stays = set(there)
            kept = [job for job in jobs if job.target in stays]
            return [job for job in jobs if job.target not in stays], kept
        case OnExist.RENAME:
            renamed = {
                target: free_name(target, lambda path: path in taken or os.path.lexists(path))
                for target in there
            }
            return [Job(source.path, renamed.get(target, target)) for source, target in named], []
        case OnExist.OVERWRITE:
            inputs = {os.path.realpath(source.path) for source, _ in named if source.path}
            lost = [target for _, target in named if os.path.realpath(target) in inputs]
            if lost:
                what = f"{lost[0]} is one of the inputs and would be overwritten"
                raise UserError(what, "Give another --out.")
            return [Job(source.path, target) for source, target in named], []


def describe_others(others: Sequence[Path]) -> list[str]:
    """A line for each kind of file skipped in folders, with the names of the first few."""
    kinds: dict[str, list[Path]] = {}
    for path in others:
        kinds.setdefault(path.suffix.lower(), []).append(path)
    lines = []
    for ending, files in kinds.items():
        more = f" and {len(files) - SHOWN_OTHERS:,} more" if len(files) > SHOWN_OTHERS else ""
        what = "a picture by its" if len(files) == 1 else "pictures by their"
        names = ", ".join(map(str, files[:SHOWN_OTHERS]))
        lines.append(f"{names}{more}: skipped, not {what} extension {ending or '(none)'}")
    return lines
