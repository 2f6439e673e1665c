"""`srcli plot-curves`."""

from pathlib import Path
from typing import Annotated

import typer

from srcli.cli.arguments import Runs


def plot_curves(
    runs: Runs,
    out: Annotated[
        Path | None, typer.Option(help="File to write: .png, .svg or .pdf for a picture, .csv for a table.")
    ] = None,
    window: Annotated[
        int, typer.Option(min=1, help="Window of the moving average, in generator steps.")
    ] = 100,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Draw the curves on standard output even with --out.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace --out if it exists.")] = False,
) -> None:
    """Plot L1, critic loss and generator loss of runs against generator steps (figure 2).

    Each run is one line, a moving average over the faint logged values.
    Runs may differ in length, still be training, or lack a loss: runs from
    noise have no L1. Prints the path of --out, or without --out draws the
    curves on standard output.
    """
    from srcli import console
    from srcli.curves.read import QUANTITIES, read_curves
    from srcli.curves.write import check_output, write_curves

    if out is not None:
        check_output(out, overwrite=force)
    lines = read_curves(runs, window)
    for key, title in QUANTITIES.items():
        missing = ", ".join(run.run for run in lines if key not in run.lines)
        if missing:
            console.say(f"no {title} logged by {missing}")
    if terminal or out is None:
        from srcli.curves.terminal import print_curves

        print_curves(lines, window)
    if out is not None:
        write_curves(out, lines, window)
        console.result(str(out))
