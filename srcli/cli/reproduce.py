"""`srcli reproduce`."""

from pathlib import Path
from typing import Annotated

import typer

from srcli.console import result
from srcli.errors import EXIT_SOME_FAILED


def reproduce(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="smoke, small, paper, wgan, or a .yaml file.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="A dataset from prepare-data; without it, drawn faces. May be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder of runs, records and report.", show_default="reproductions/PLAN"),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many runs train at a time.")] = 1,
    records: Annotated[
        list[Path] | None,
        typer.Option("--from", help="A folder that holds records already; may be repeated."),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Make the report of what is there; run nothing.")
    ] = False,
) -> None:
    """Run a whole campaign of experiments and judge the paper's claims by it.

    Runs that are missing are made, those that were stopped go on, and what
    failed is tried again; then report.html is written, whose path is
    printed. Started by torchrun or as a job array, each process takes its
    share of the runs.
    """
    if report and data:
        raise typer.BadParameter("--report looks at records alone; leave out --data", param_hint="--report")
    from srcli.reproduction.sessions import reproduce_plan

    page, failed = reproduce_plan(plan, data or [], out, jobs, records or [], only_report=report)
    if page is not None:
        result(str(page))
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)
