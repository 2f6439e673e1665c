"""The versions, devices and data with which the runs of a report were made."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from srcli.reproduction.records import RunRecord


def made_rows(records: Sequence[RunRecord]) -> list[tuple[str, str]]:
    """Names and values; where runs differ, each value with the number of its runs."""
    found: dict[str, Counter[str]] = {}
    for record in records:
        for name, value in _flat(record.made, ""):
            found.setdefault(name, Counter())[value] += 1
    return [(name, _joined(counts, len(records))) for name, counts in found.items()]


def _flat(values: Mapping[str, Any], before: str) -> Iterator[tuple[str, str]]:
    """Names and values of a tree: `{"versions": {"torch": 2}}` gives `versions torch`."""
    for name, value in values.items():
        title = f"{before}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{title} ")
        elif isinstance(value, int) and not isinstance(value, bool):
            yield title, f"{value:,}"
        elif value is not None:
            yield title, str(value)


def _joined(counts: Mapping[str, int], total: int) -> str:
    if list(counts.values()) == [total]:
        return next(iter(counts))
    return "; ".join(f"{value} ({count} of {total} runs)" for value, count in counts.items())
