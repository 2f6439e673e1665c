"""`srcli presets`."""

from typing import Annotated

import typer

from srcli.console import result
from srcli.experiment import presets as catalog

presets = typer.Typer(no_args_is_help=True, help="List, show and copy the experiments that come with srcli.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A preset's name; `srcli presets list`.")]


@presets.command("list")
def list_presets() -> None:
    """List all presets, and what each one is."""
    names = catalog.preset_names()
    width = max(map(len, names), default=0)
    for name in names:
        result(f"{name:<{width}}  {catalog.preset_description(catalog.preset_path(name))}")


@presets.command("show")
def show_preset(name: Name) -> None:
    """Print a preset's file."""
    result(catalog.preset_path(name).read_text(encoding="utf-8").removesuffix("\n"))


@presets.command("copy")
def copy_preset(
    name: Name,
    destination: Annotated[
        str, typer.Argument(metavar="DEST", help="A file that is not there yet, or a folder.")
    ],
) -> None:
    """Copy a preset's file, to change it and train it with `srcli train FILE`."""
    result(str(catalog.copy_preset(name, destination)))
