"""`srcli train`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srcli.console import result, say
from srcli.errors import RunError

if TYPE_CHECKING:
    from srcli.experiment import Experiment


class Precision(StrEnum):
    """The number formats a network can run in."""

    FP32 = "fp32"
    BF16 = "bf16"


def train(
    experiment: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="An experiment file, in place of --preset.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="A preset's name; `srcli presets list`.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="A dataset from prepare-data; without it, drawn faces.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run directory.", show_default="runs/NAME-NUMBER")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue this run.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=VALUE", help="Change a setting; may be repeated."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    precision: Annotated[
        Precision | None, typer.Option(help="Shorthand for --set training.precision=...")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the experiment and what it would take; train nothing.")
    ] = False,
) -> None:
    """Train an experiment: a preset, a file of your own, or the rest of a run."""
    overrides = list(settings or []) + ([f"training.precision={precision}"] if precision else [])
    if sum(choice is not None for choice in (experiment, preset, resume)) != 1:
        raise typer.BadParameter("give one of --preset NAME, an experiment file, or --resume RUN")
    if resume is not None:
        if out is not None or dry_run:
            raise typer.BadParameter("--resume goes with neither --out nor --dry-run")
        _resume(resume, overrides, data, device)
        result(str(resume))
        return
    from srcli.catalog import preset_path
    from srcli.devices import choose_device
    from srcli.experiment import load_experiment
    from srcli.runs import next_run_path
    from srcli.training.sessions import start_run

    loaded = load_experiment(experiment or preset_path(str(preset)), overrides)
    if data is None:
        say("no --data given: training on the built-in drawn faces")
    if dry_run:
        _rehearse(loaded, data, device)
        return
    path = out or next_run_path(Path("runs"), loaded.name)
    if path.exists():
        raise RunError(f"{path} already exists", "Give another --out, or continue that run with --resume.")
    start_run(loaded, data, path, choose_device(device), ["srcli", *sys.argv[1:]])
    result(str(path))


def _resume(run: Path, overrides: list[str], data: Path | None, device: str) -> None:
    from srcli.devices import choose_device
    from srcli.training.sessions import resume_run

    resume_run(run, overrides, data, choose_device(device))


def _rehearse(experiment: "Experiment", data: Path | None, device: str) -> None:
    from srcli.devices import choose_device
    from srcli.training.rehearsal import rehearse
    from srcli.training.sessions import load_dataset

    figures = rehearse(experiment, load_dataset(data), choose_device(device))
    result(experiment.to_yaml() + "\n".join(f"# {line}" for line in figures.lines()))
