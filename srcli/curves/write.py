"""Curves as files: pictures and tables."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from srcli.curves.read import QUANTITIES, Curves
from srcli.errors import UserError
from srcli.storage.atomic import write_text

PICTURES = (".png", ".svg", ".pdf")
TABLE = ".csv"


def check_output(path: Path, overwrite: bool) -> None:
    """Makes sure that curves can be written to a path before any work is done.

    Raises:
        UserError: The ending is none that can be written, or something is there already.
    """
    if path.suffix.lower() not in (*PICTURES, TABLE):
        endings = " ".join((*PICTURES, TABLE))
        raise UserError(f"{path} has no ending that curves can be written to", f"Use one of {endings}.")
    if path.is_dir():
        raise UserError(f"{path} is a folder", "Give a file.")
    if path.exists() and not overwrite:
        raise UserError(f"{path} already exists", "Give another file, or replace it with --force.")


def write_curves(path: Path, curves: Sequence[Curves], window: int) -> None:
    """Writes curves as the path's ending says: a picture (.png, .svg, .pdf) or a table (.csv)."""
    if path.suffix.lower() == TABLE:
        write_text(path, curves_csv(curves))
        return
    from srcli.curves.picture import write_picture  # matplotlib: half a second

    write_picture(path, curves, window)


def curves_csv(curves: Sequence[Curves]) -> str:
    """One row a run and step: every quantity as logged and smoothed; empty where it was not logged."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "step", *(name for key in QUANTITIES for name in (key, f"{key}_smoothed"))])
    for run in curves:
        cells = {
            key: dict(zip(line.steps.tolist(), zip(line.raw, line.smoothed, strict=True), strict=True))
            for key, line in run.lines.items()
        }
        for step in sorted({step for column in cells.values() for step in column}):
            values = [cells.get(key, {}).get(step, ("", "")) for key in QUANTITIES]
            writer.writerow([run.run, step, *(value for pair in values for value in pair)])
    return text.getvalue()
