"""What is looked at in a command line before any command sees it."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def refuse_empty(arguments: Sequence[str]) -> None:
    """Makes sure that no argument is empty: an unset variable would stand for the current folder.

    Raises:
        typer.BadParameter: One is.
    """
    for before, argument in zip(("", *arguments), arguments, strict=False):
        option, equals, value = argument.partition("=")
        if not argument:
            where = before if before.startswith("--") else "an argument"
        elif option.startswith("--") and equals and not value:
            where = option
        else:
            continue
        raise typer.BadParameter("it is empty, as an unset variable is", param_hint=where)


def refuse_addresses(arguments: Sequence[str]) -> None:
    """Makes sure that nothing on the network is named: no command fetches what it is given.

    Raises:
        typer.BadParameter: Something is.
    """
    for argument in arguments:
        if _ADDRESS.match(argument):
            raise typer.BadParameter(
                f"{argument} is an address, and only files are read; download it first, say with curl -LO"
            )


def as_options(arguments: list[str]) -> list[str]:
    """The command line with `help` and `version` as the options that they mean."""
    match arguments:
        case ["help", *command]:
            return [*command, "--help"]
        case ["version"]:
            return ["--version"]
    return arguments


@contextmanager
def telling_of_files(arguments: Sequence[str]) -> Iterator[None]:
    """A block in which an unknown option that may be meant as a file is said to be written with `./`."""
    try:
        yield
    except Exception as error:
        option = getattr(error, "option_name", None)
        if isinstance(option, str) and isinstance(getattr(error, "message", None), str):
            for argument in arguments:
                is_file = os.path.lexists(argument) or Path(argument).suffix
                if argument.startswith(option) and "=" not in argument and is_file:
                    error.message += f". If a file is meant, write ./{argument}"  # type: ignore[attr-defined]
                    break
        raise
