"""Shared by the benchmarks: timing in turn, and printing a table or one JSON object."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def arguments(description: str | None) -> argparse.ArgumentParser:
    """An argument parser with the options common to all benchmarks."""
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender is timed, in turn")
    return parser


def seconds_of(action: Callable[[], object]) -> float:
    """The wall-clock time of an action."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def time_in_turn(actions: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Runs actions that return seconds in turn, round after round, after a warm-up round.

    A machine's speed varies from minute to minute; measuring in turn lets it affect all actions alike.
    """
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name, action in actions.items():
            measured = action()
            if number > 0:
                seconds[name].append(measured)
    return seconds


def median_ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """The median over the rounds of the ratio of two times."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def show(figures: Mapping[str, object], as_json: bool) -> None:
    """Prints the figures."""
    if as_json:
        print(json.dumps(figures))
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:<{width}}  {f'{value:.4g}' if isinstance(value, float) else value}")
