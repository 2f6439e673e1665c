"""`srcli tensorboard`."""

import os.path
import shlex

from srcli.cli.arguments import Runs
from srcli.console import result, say


def tensorboard(runs: Runs) -> None:
    """Write event files of runs, for TensorBoard, from their logs.

    Scalars, sample pictures and health go to RUN/tensorboard, in place of
    what is there. Prints the path of each folder.
    """
    from srcli.runs.directory import RunDirectory
    from srcli.runs.event_files import EventFile, require_tensorboard

    require_tensorboard()
    opened = [RunDirectory(path) for path in runs]
    for run in opened:
        run.record()  # says what is wrong before anything is written
    for run in opened:
        result(str(EventFile(run).folder))
    shown = runs[0] if len(runs) == 1 else os.path.commonpath([path.absolute() for path in runs])
    say(f"To see the curves: tensorboard --logdir {shlex.quote(str(shown))}")
