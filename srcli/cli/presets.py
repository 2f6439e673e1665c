"""`srcli presets`."""

from collections.abc import Callable
from typing import Annotated

import typer

from srcli.cli.arguments import Device
from srcli.cli.completion import complete_preset
from srcli.cli.memory import keep_freed_memory
from srcli.console import result, say
from srcli.experiment import presets as catalog

presets = typer.Typer(no_args_is_help=True, help="List, show and copy the experiments that come with srcli.")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A preset's name; see `srcli presets list`.", autocompletion=complete_preset
    ),
]


@presets.command("list")
def list_presets(
    cost: Annotated[
        bool,
        typer.Option("--cost", help="Measure about how long each would train here; this takes minutes."),
    ] = False,
    device: Device = "auto",
) -> None:
    """List all presets with a short description."""
    names = catalog.preset_names()
    width = max(map(len, names), default=0)
    time_of = _measuring(device) if cost else lambda _: ""
    for name in names:
        description = catalog.preset_description(catalog.preset_path(name))
        result(f"{name:<{width}}  {time_of(name)}{description}")


def _measuring(name: str) -> Callable[[str], str]:
    """What says how long a preset would train on the device of this name: a column of the list."""
    keep_freed_memory()
    from srcli.devices import choose_device, has_bf16_units
    from srcli.experiment.loading import load_experiment
    from srcli.training.dry_run import duration, estimate_seconds

    device = choose_device(name)
    say(f"measuring a few steps of every preset on {device}; evaluations come on top")
    if has_bf16_units(device):
        say("it has units for bf16: `srcli train --dry-run` measures what --precision bf16 gains")

    def time_of(preset: str) -> str:
        seconds = estimate_seconds(load_experiment(catalog.preset_path(preset)), device)
        return f"about {duration(seconds):<12}  "

    return time_of


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
