"""What is looked at in a command line before any command sees it."""

from collections.abc import Sequence

import typer


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
