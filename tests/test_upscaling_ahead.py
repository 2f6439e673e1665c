"""Stages in threads: the same items as without, whatever ends them."""

import threading
from collections.abc import Generator
from contextlib import closing
from itertools import count

import pytest

from srcli.upscaling.ahead import ahead


def doubled(items: Generator[int]) -> Generator[int]:
    for item in items:
        yield 2 * item


def test_items_come_in_order_through_several_stages() -> None:
    stage = ahead(doubled(ahead(doubled(ahead(number for number in range(1000))), depth=7)))
    assert list(stage) == [4 * number for number in range(1000)]
    assert threading.active_count() == 1


def test_stages_run_in_threads_of_their_own() -> None:
    names = set(ahead(threading.current_thread().name for _ in range(3)))
    assert names.isdisjoint({threading.current_thread().name})


def test_an_error_of_a_stage_is_raised_after_the_items_before_it() -> None:
    def failing() -> Generator[int]:
        yield 1
        raise OSError("full")

    seen = []
    with pytest.raises(OSError, match="full"):  # noqa: PT012 - what came before the error counts
        for item in ahead(doubled(ahead(failing()))):
            seen.append(item)
    assert seen == [2]
    assert threading.active_count() == 1


def test_a_stage_is_never_further_ahead_than_it_may_be() -> None:
    made = []

    def making() -> Generator[int]:
        for number in count():
            made.append(number)
            yield number

    with closing(ahead(making(), depth=2)) as items:
        for taken in range(1, 50):
            next(items)
            assert len(made) <= taken + 3 + 1


def test_whoever_stops_in_the_middle_closes_all_stages() -> None:
    closed = []

    def endless() -> Generator[int]:
        try:
            yield from count()
        finally:
            closed.append(threading.current_thread().name)

    with pytest.raises(KeyboardInterrupt), closing(ahead(doubled(ahead(endless())))) as items:
        next(items)
        raise KeyboardInterrupt
    assert len(closed) == 1
    assert threading.active_count() == 1
