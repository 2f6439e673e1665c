"""Stages of work that overlap, each a plain iterator in a thread of its own."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")


class StoppedError(Exception):
    """What a long stage raises when it finds that the work has ended early; nobody is left to hear it."""


@dataclass(frozen=True)
class _End:
    """The last that a stage gives: why it ended, None when it had no more."""

    error: BaseException | None


def prefetch(items: Generator[T], stopped: Event, depth: int = 1) -> Generator[T]:
    """Gives the items of a generator that runs in a thread of its own.

    An error of the generator is raised here. When this iterator is closed early, or an error or an interrupt
    passes through it, the generator is closed in its thread, which has ended before control goes on.

    Args:
        items: The stage; closed at the end, and to close in turn the stage before it.
        stopped: Shared by the stages of one work, and set when it ends early; long stages should look at it.
        depth: How many items it may be ahead, beside the one in its hands.
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
        # What waits to be taken is thrown away, so that the thread can go on to its end.
        while thread.is_alive():
            try:
                ready.get(timeout=0.01)
            except Empty:
                continue


def _run(items: Generator[T], ready: "Queue[T | _End]", stopped: Event) -> None:
    error: BaseException | None = None
    try:
        with closing(items):
            for item in items:
                ready.put(item)
                if stopped.is_set():
                    break
    # Whatever it is belongs to the thread that asked for the items.
    except BaseException as caught:
        error = caught
    ready.put(_End(error))
