"""`srcli reproduce`."""

from pathlib import Path
from typing import Annotated

import typer

from srcli.cli.arguments import TrainingData
from srcli.console import result
from srcli.errors import EXIT_SOME_FAILED


def reproduce(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="smoke, small, paper, wgan, or a .yaml file.")],
    data: TrainingData = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for runs, records and report.", show_default="reproductions/PLAN"),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Number of runs to train at a time.")] = 1,
    records: Annotated[
        list[Path] | None, typer.Option("--from", help="A folder with existing records; may be repeated.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Only write the report from existing records.")
    ] = False,
) -> None:
    """Run a campaign of experiments and judge the paper's claims by it.

    Missing runs are started, interrupted ones resumed and failed ones
    retried; then report.html is written and its path printed. Under
    torchrun or in a job array, each process takes its share of the runs.
    """
    if report and data:
        raise typer.BadParameter("--report only reads records; leave out --data", param_hint="--report")
    from srcli.reproduction.sessions import reproduce_plan

    page, failed = reproduce_plan(plan, data or [], out, jobs, records or [], only_report=report)
    if page is not None:
        result(str(page))
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)
