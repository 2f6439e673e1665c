"""What the benchmarks share: timing in turn, and figures as a table or as one JSON object."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options of all benchmarks."""
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is timed, in turn")
    return parser


def seconds_of(action: Callable[[], object]) -> float:
    """How long the action takes, by the clock on the wall."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def time_in_turn(actions: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Runs actions that return seconds one after the other, round after round, after a round to warm up.

    Machines change their speed from minute to minute; what is measured in turn changes together.
    """
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name, action in actions.items():
            measured = action()
            if number > 0:
                seconds[name].append(measured)
    return seconds


def median_ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """The median over the rounds of how many times longer the first took than the second."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def show(figures: Mapping[str, object], as_json: bool) -> None:
    """Prints the figures."""
    if as_json:
        print(json.dumps(figures))
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:<{width}}  {f'{value:.4g}' if isinstance(value, float) else value}")
