"""The interface of a study, and what their summaries share."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np

from srcli.reproduction.studies.settings import Bound
from srcli.reproduction.verdicts import Estimate, Finding

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Result = Mapping[str, Any]
"""The measurements of one seed, of types that JSON has."""

Row = dict[str, str | int | float]


class Table(NamedTuple):
    """A table for a report.

    Attributes:
        columns: Titles with units by the rows' keys, in order.
        rows: Values by the columns' keys, not rounded.
    """

    title: str
    columns: Mapping[str, str]
    rows: list[Row]


class Study(Protocol):
    """A small experiment: settings that are run once per seed and summed up.

    Attributes:
        title: Its title in a report.
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
        """The seeds to run it with."""

    def run(self, seed: int) -> dict[str, Any]:
        """The measurements of one seed, of types that JSON has; equal seeds give equal ones."""

    def summarize(self, results: Sequence[Result]) -> list[Finding]:
        """The findings on the claims from the results of two or more seeds."""

    def table(self, results: Sequence[Result]) -> Table:
        """The results, one row per case."""

    def figure(self, results: Sequence[Result]) -> "Figure":
        """The figure that the caption describes, to be drawn in `drawing.STYLE`."""


def finding(
    claim: str, subject: str, statistic: str, estimate: Estimate, bound: Bound, sentence: str
) -> Finding:
    """A finding over seeds with the verdict that the bound gives."""
    return Finding(
        claim=claim,
        subject=subject,
        statistic=statistic,
        estimate=estimate,
        interval="seeds",
        threshold=bound.in_words(),
        verdict=bound.judge(estimate),
        sentence=sentence,
    )


def regression(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Slope and R2 of the least-squares line of y on x; R2 is 0 where y does not vary."""
    deviations_x, deviations_y = np.subtract(x, np.mean(x)), np.subtract(y, np.mean(y))
    covariance = float(deviations_x @ deviations_y)
    variance_x, variance_y = float(deviations_x @ deviations_x), float(deviations_y @ deviations_y)
    slope = covariance / variance_x
    return slope, slope * covariance / variance_y if variance_y > 0 else 0.0
