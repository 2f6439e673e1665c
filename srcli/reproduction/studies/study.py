"""What every study can do, and the small pieces their summaries share."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

from srcli.reproduction.studies.settings import Bound
from srcli.reproduction.studies.statistics import judge
from srcli.reproduction.verdicts import Estimate, Finding

Result = Mapping[str, Any]
"""The measurements of one seed, of types that JSON has."""


Row = dict[str, str | int | float]


class Table(NamedTuple):
    """A table for a report; numbers are given as they are, to be rounded where they are shown.

    Attributes:
        title: What it shows.
        columns: Keys of the rows, in order, and their titles with units.
        rows: From the columns' keys to values.
    """

    title: str
    columns: Mapping[str, str]
    rows: list[Row]


class Study(Protocol):
    """An experiment of small size: settings that can be run once a seed, and summed up.

    Attributes:
        title: What it is called in a report.
        claims: The claims it tests, by key, with their place in the source.
        caption: What its figure shows and how it was made.
    """

    title: ClassVar[str]
    claims: ClassVar[Mapping[str, str]]
    caption: ClassVar[str]

    @property
    def study(self) -> str:
        """Its name in a plan."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds it is to be run with."""

    def run(self, seed: int) -> dict[str, Any]:
        """The measurements of one seed, which JSON can hold; equal seeds give equal ones."""

    def summarize(self, results: Sequence[Result]) -> list[Finding]:
        """What the results of two or more seeds say of the claims."""

    def table(self, results: Sequence[Result]) -> Table:
        """The results, one row a case."""

    def draw(self, results: Sequence[Result], path: Path) -> None:
        """Writes the study's figure, a PNG; equal results give equal bytes."""


def finding(
    claim: str, subject: str, statistic: str, estimate: Estimate, bound: Bound, sentence: str
) -> Finding:
    """A finding over seeds, with the verdict that the bound gives."""
    threshold, verdict = bound.in_words(), judge(estimate, bound)
    return Finding(claim, subject, statistic, estimate, "seeds", threshold, verdict, sentence)
