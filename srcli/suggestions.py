"""Which runs may be meant by a path at which there is none."""

import difflib
from pathlib import Path

_SHOWN = 3


def runs_like(path: Path) -> str:
    """A hint that names runs beside a path or in `runs`: those of a like name, or else the newest.

    Returns:
        A sentence; empty when there are no runs.
    """
    records = [record for folder in (path.parent, Path("runs")) for record in folder.glob("*/run.json")]
    runs = {str(record.parent): record for record in records}
    names = [Path(run).name for run in runs]
    close = difflib.get_close_matches(path.name, names, n=1)
    if close:
        return f"Did you mean {next(run for run in runs if Path(run).name == close[0])}?"
    newest = sorted(runs, key=lambda run: runs[run].stat().st_mtime, reverse=True)
    return f"Runs here: {', '.join(newest[:_SHOWN])}." if newest else ""
