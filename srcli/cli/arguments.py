"""Options that commands share, and checks on the raw command line before any command parses it."""

import os
import re
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from srcli.cli.completion import complete_run

Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
TrainingData = Annotated[
    list[Path] | None,
    typer.Option(help="A dataset from prepare-data; without it, drawn faces. May be repeated."),
]
Runs = Annotated[
    list[Path],
    typer.Argument(metavar="RUN", help="Run folders, finished or not.", autocompletion=complete_run),
]

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def refuse_empty(arguments: Sequence[str]) -> None:
    """Rejects empty arguments: an unset shell variable would otherwise mean the current folder.

    Raises:
        typer.BadParameter: An argument is empty.
    """
    for before, argument in zip(("", *arguments), arguments, strict=False):
        option, equals, value = argument.partition("=")
        if not argument:
            where = before if before.startswith("--") else "an argument"
        elif option.startswith("--") and equals and not value:
            where = option
        else:
            continue
        raise typer.BadParameter("it is empty; is a variable unset?", param_hint=where)


def refuse_addresses(arguments: Sequence[str]) -> None:
    """Rejects URLs: every command reads local files only.

    Raises:
        typer.BadParameter: An argument is a URL.
    """
    for argument in arguments:
        if _ADDRESS.match(argument):
            raise typer.BadParameter(
                f"{argument} is a URL, but only local files are read; download it first, e.g. with curl -LO"
            )


def as_options(arguments: list[str], commands: Container[str]) -> list[str]:
    """The command line with `help COMMAND` and the word `version` turned into options."""
    match arguments:
        case ["help", command, *rest] if command in commands:
            return [command, *rest, "--help"]
        case ["version"]:
            return ["--version"]
    return arguments


@contextmanager
def telling_of_files(arguments: Sequence[str]) -> Iterator[None]:
    """Adds a hint to errors about unknown options that look like file names."""
    try:
        yield
    except Exception as error:
        option = getattr(error, "option_name", None)
        if isinstance(option, str) and isinstance(getattr(error, "message", None), str):
            for argument in arguments:
                is_file = os.path.lexists(argument) or Path(argument).suffix
                if argument.startswith(option) and "=" not in argument and is_file:
                    error.message += f". If it is a file, write ./{argument}"  # type: ignore[attr-defined]
                    break
        raise
