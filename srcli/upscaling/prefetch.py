"""Overlapping pipeline stages, each a plain iterator in its own thread."""

from collections.abc import Generator
from contextlib import closing, suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class StoppedError(Exception):
    """Raised by a long stage when the pipeline has ended early; nobody handles it."""


class _End(NamedTuple):
    """A stage's last item: the error that ended it, None at its regular end."""

    error: BaseException | None


def prefetch(items: Generator[T], stopped: Event, depth: int = 1) -> Generator[T]:
    """Yields the items of a generator that runs in its own thread.

    Errors of the generator are raised here. If this iterator is closed early or left by an error or an
    interrupt, the generator is closed in its thread, and the thread is joined before control continues.

    Args:
        items: The stage; closed at the end, and should close the stage before it in turn.
        stopped: Shared by all stages of a pipeline, and set if it ends early; long stages should check it.
        depth: How many finished items may wait, besides the one in progress.
    """
    ready: Queue[T | _End] = Queue(depth)
    thread = Thread(target=_run, args=(items, ready, stopped))
    thread.start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    except BaseException:
        stopped.set()
        raise
    finally:
        # Discards waiting items, so that the thread can run to its end.
        while thread.is_alive():
            with suppress(Empty):
                ready.get(timeout=0.01)


def _run(items: Generator[T], ready: "Queue[T | _End]", stopped: Event) -> None:
    try:
        with closing(items):
            for item in items:
                ready.put(item)
                if stopped.is_set():
                    break
    except BaseException as error:  # any error is passed on to the consumer's thread
        ready.put(_End(error))
    else:
        ready.put(_End(None))
