"""Keeping a run's event file up to date while it trains."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from srcli.errors import RunError
from srcli.runs.directory import RunDirectory
from srcli.runs.event_files import EventFile
from srcli.storage.bounded import JsonObject
from srcli.training.timer import Timer

SECONDS_BETWEEN_UPDATES = 30
"""How often TensorBoard looks for something new."""


@contextmanager
def publishing(run: RunDirectory, wanted: bool) -> Iterator[Callable[[JsonObject], None]]:
    """A block that passes each entry of the log on: to the event file, or to nobody if none is wanted.

    The file is written at the beginning, at evaluations, now and then between them, and at the end.
    """
    if not (wanted and run.is_kept):
        yield lambda _: None
        return
    file, timer = EventFile(run), Timer(SECONDS_BETWEEN_UPDATES)
    waiting: list[JsonObject] = []

    def publish(entry: JsonObject) -> None:
        waiting.append(entry)
        if "health" in entry or timer.rings():
            file.append(waiting)
            waiting.clear()

    try:
        yield publish
    except BaseException:
        with suppress(OSError, RunError):  # the first error is the one to report
            file.append(waiting)
        raise
    file.append(waiting)
