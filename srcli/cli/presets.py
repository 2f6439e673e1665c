"""`srcli presets`."""

from typing import Annotated

import typer

from srcli.console import result
from srcli.experiment import presets as catalog

presets = typer.Typer(no_args_is_help=True, help="List, show and copy the experiments that come with srcli.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A preset's name; see `srcli presets list`.")]


@presets.command("list")
def list_presets() -> None:
    """List all presets with a short description."""
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
    name: Name, destination: Annotated[str, typer.Argument(metavar="DEST", help="A new file, or a folder.")]
) -> None:
    """Copy a preset's file, to edit and train with `srcli train FILE`."""
    result(str(catalog.copy_preset(name, destination)))
