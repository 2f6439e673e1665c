"""Pipeline stages in threads give the same items as without, however they end."""

import threading
from collections.abc import Generator
from contextlib import closing
from itertools import count

import pytest

from srcli.upscaling.prefetch import prefetch


@pytest.fixture
def stopped() -> threading.Event:
    return threading.Event()


def doubled(items: Generator[int]) -> Generator[int]:
    with closing(items):
        for item in items:
            yield 2 * item


def test_items_come_in_order_through_several_stages(stopped: threading.Event) -> None:
    first = prefetch((number for number in range(1000)), stopped, depth=7)
    assert list(prefetch(doubled(prefetch(doubled(first), stopped)), stopped)) == list(range(0, 4000, 4))
    assert threading.active_count() == 1
    assert not stopped.is_set()


def test_stages_run_in_threads_of_their_own(stopped: threading.Event) -> None:
    names = set(prefetch((threading.current_thread().name for _ in range(3)), stopped))
    assert names.isdisjoint({threading.current_thread().name})


def test_an_error_of_a_stage_is_raised_after_the_items_before_it(stopped: threading.Event) -> None:
    def failing() -> Generator[int]:
        yield 1
        raise OSError("full")

    items = prefetch(doubled(prefetch(failing(), stopped)), stopped)
    assert next(items) == 2
    with pytest.raises(OSError, match="full"):
        next(items)
    assert threading.active_count() == 1


def test_a_stage_is_never_further_ahead_than_it_may_be(stopped: threading.Event) -> None:
    made = []

    def making() -> Generator[int]:
        for number in count():
            made.append(number)
            yield number

    with closing(prefetch(making(), stopped, depth=2)) as items:
        for taken in range(1, 50):
            next(items)
            assert len(made) <= taken + 3 + 1


def test_whoever_stops_in_the_middle_closes_all_stages(stopped: threading.Event) -> None:
    closed = []

    def endless() -> Generator[int]:
        try:
            yield from count()
        finally:
            closed.append(stopped.is_set())

    items = prefetch(doubled(prefetch(endless(), stopped)), stopped)
    next(items)
    with pytest.raises(KeyboardInterrupt):
        items.throw(KeyboardInterrupt)
    assert closed == [True]
    assert threading.active_count() == 1
