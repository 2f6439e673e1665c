"""`srcli train`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srcli.cli.arguments import Device, TrainingData
from srcli.cli.completion import complete_preset, complete_run
from srcli.cli.memory import keep_freed_memory
from srcli.console import result, say, talk_as
from srcli.errors import RunError, UserError
from srcli.processes import read_share

if TYPE_CHECKING:
    import torch

    from srcli.experiment.schema import Experiment
    from srcli.training.replicas import Replicas


class Precision(StrEnum):
    """Number formats for training."""

    FP32 = "fp32"
    BF16 = "bf16"


def train(
    experiment: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="An experiment file, in place of --preset.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="A preset's name; see `srcli presets list`.", autocompletion=complete_preset),
    ] = None,
    data: TrainingData = None,
    out: Annotated[
        Path | None, typer.Option(help="The run directory.", show_default="runs/NAME-NUMBER")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Continue this run.", autocompletion=complete_run)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=VALUE", help="Change a setting; may be repeated."),
    ] = None,
    device: Device = "auto",
    precision: Annotated[
        Precision | None, typer.Option(help="Shorthand for --set training.precision=...")
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write event files for TensorBoard into the run.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the experiment and what it would cost; train nothing.")
    ] = False,
) -> None:
    """Train a preset or an experiment file, or resume a run.

    Under torchrun, all processes train together.
    """
    overrides = list(settings or []) + ([f"training.precision={precision}"] if precision else [])
    if sum(choice is not None for choice in (experiment, preset, resume)) != 1:
        raise typer.BadParameter("give one of --preset NAME, an experiment file, or --resume RUN")
    if resume is not None and (out is not None or dry_run):
        raise typer.BadParameter("--resume cannot be combined with --out or --dry-run")
    share = read_share()
    talk_as(share.rank)
    keep_freed_memory()
    if tensorboard:
        from srcli.runs.event_files import require_tensorboard

        require_tensorboard()
    from srcli.training.replicas import joining

    with joining(share, device) as (replicas, chosen):
        if resume is not None:
            from srcli.training.sessions import resume_run

            resume_run(resume, overrides, data or [], chosen, replicas, tensorboard=tensorboard)
            result(str(resume))
            return
        with replicas.together():
            loaded = _load(experiment, preset, overrides)
        if not data:
            say("no --data given: training on the built-in drawn faces")
        if dry_run:
            _rehearse(loaded, data or [], chosen, replicas)
            return
        result(str(_start(loaded, overrides, data or [], out, chosen, replicas, tensorboard=tensorboard)))


def _load(experiment: Path | None, preset: str | None, overrides: list[str]) -> "Experiment":
    from srcli.experiment.loading import load_experiment
    from srcli.experiment.presets import experiment_path, preset_path

    path = preset_path(str(preset)) if experiment is None else experiment_path(experiment)
    return load_experiment(path, overrides)


def _start(
    experiment: "Experiment",
    overrides: list[str],
    data: list[Path],
    out: Path | None,
    device: "torch.device",
    replicas: "Replicas",
    *,
    tensorboard: bool,
) -> Path:
    """Trains a new run, or resumes one that torchrun has restarted."""
    from srcli.runs.directory import next_run_path
    from srcli.training.replicas import most_restarts, restarts
    from srcli.training.sessions import resume_run, start_run

    if out is None and most_restarts() > 0:
        raise UserError("a run that torchrun may restart needs a name", "Give it with --out RUN.")
    path = out or Path(replicas.gather(str(next_run_path(Path("runs"), experiment.name)))[0])
    exists = any(replicas.gather("exists" if path.exists() else ""))
    with replicas.together():
        if exists and not restarts():
            hint = "Give another --out, or continue that run with --resume."
            raise RunError(f"{path} already exists", hint)
    if exists:
        resume_run(path, overrides, data, device, replicas, tensorboard=tensorboard)
    else:
        command = ["srcli", *sys.argv[1:]]
        start_run(experiment, data, path, device, command, replicas, tensorboard=tensorboard)
    return path


def _rehearse(
    experiment: "Experiment", data: list[Path], device: "torch.device", replicas: "Replicas"
) -> None:
    from srcli.training.dry_run import rehearse
    from srcli.training.sessions import load_dataset

    with replicas.together():
        dataset = load_dataset(data, experiment.task)
    figures = rehearse(experiment, dataset, device, replicas)
    result(experiment.to_yaml() + "\n".join(f"# {line}" for line in figures))
