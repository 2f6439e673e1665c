"""The interface of a study, and what their summaries share."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from srcli.reproduction.intervals import student_interval
from srcli.reproduction.studies.settings import Bound, Count, Seeds, Settings
from srcli.reproduction.verdicts import Estimate, Finding
from srcli.reproduction.wording import first_upper

Result = Mapping[str, Any]
"""The measurements of one seed, of types that JSON has."""

Row = dict[str, str | int | float]


class Table(NamedTuple):
    """A table for a report; rows hold values, not rounded, by the titles of the columns with units."""

    title: str
    rows: list[Row]


class Study(Settings):
    """A small experiment: settings that are run once per seed and summed up.

    Attributes:
        study: Its name in a plan.
        title: Its title in a report.
        claims: The claims it tests, by key, with their place in the source.
        caption: What its figure shows and how it was made.
    """

    study: str
    seeds: Seeds
    batch_size: Count

    title: ClassVar[str]
    claims: ClassVar[Mapping[str, str]]
    caption: ClassVar[str]

    @abstractmethod
    def run(self, seed: int) -> dict[str, Any]:
        """The measurements of one seed, of types that JSON has; equal seeds give equal ones."""

    @abstractmethod
    def summarize(self, results: Sequence[Result]) -> Iterator[Finding]:
        """The findings on the claims from the results of two or more seeds."""

    @abstractmethod
    def table(self, results: Sequence[Result]) -> Table:
        """The results, one row per case."""

    @abstractmethod
    def figure(self, results: Sequence[Result]) -> Figure:
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


Line = tuple[float, float]
"""Slope and R2."""


def regression_findings(
    claim: str,
    subject: str,
    distance: str,
    lines: Mapping[str, Sequence[Line]],
    r2_bounds: Mapping[str, Bound],
    slope_bound: Bound,
) -> Iterator[Finding]:
    """Whether critics' estimates follow a distance, by the line of each seed.

    Args:
        distance: In words.
        lines: By objective.
        r2_bounds: By objective.
        slope_bound: Of the penalised critic.
    """
    for name, bound in r2_bounds.items():
        r2 = student_interval([r2 for _, r2 in lines[name]])
        yield finding(
            claim,
            f"{subject}, {name}",
            f"R2 of the critic's estimate on {distance}",
            r2,
            bound,
            f"{first_upper(distance)} explains {r2.value:.1%} of the variance of what the {name} critic"
            " reports.",
        )
    slope = student_interval([slope for slope, _ in lines["wgan-gp"]])
    unit = "EM distance" if distance == "|theta|" else distance
    yield finding(
        claim,
        f"{subject}, wgan-gp",
        f"slope of the critic's estimate on {distance}",
        slope,
        slope_bound,
        f"The penalised critic reports {slope.value:.2f} of every unit of {unit}.",
    )
