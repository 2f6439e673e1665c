"""Verdicts on claims, and the measurements behind them.

A verdict compares an interval with a threshold that was set before the runs. While runs are missing, there is
one only if no outcome of theirs could change it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What the measurements say of a claim."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    UNDECIDED = "undecided"


def decide(holds: bool, does_not_hold: bool) -> Verdict:
    """The verdict for which the condition is true; undecided if neither is."""
    if does_not_hold:
        return Verdict.DOES_NOT_HOLD
    return Verdict.HOLDS if holds else Verdict.UNDECIDED


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Holds if all hold, does not hold if one does not, else undecided, also for none."""
    listed = list(verdicts)
    holds = bool(listed) and all(verdict is Verdict.HOLDS for verdict in listed)
    return decide(holds, Verdict.DOES_NOT_HOLD in listed)


class Estimate(NamedTuple):
    """A value and its 95 % interval; low and high are NaN where it has none."""

    value: float
    low: float = math.nan
    high: float = math.nan


def surely_above(estimate: Estimate, threshold: float) -> Verdict:
    """Holds if the whole interval is above the threshold, does not hold if it is below."""
    return decide(estimate.low > threshold, estimate.high < threshold)


def surely_within(estimate: Estimate, low: float = -math.inf, high: float = math.inf) -> Verdict:
    """Holds if the whole interval lies in [low, high], does not hold if none of it does, else undecided."""
    return decide(low <= estimate.low and estimate.high <= high, estimate.high < low or estimate.low > high)


NO_THRESHOLD = "none: it is told beside"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One measurement that bears on a claim, and the verdict that it gives.

    Attributes:
        claim: The key of its claim, as in "wgan.modes".
        subject: The cell, objective or study, as in "8 Gaussians, wgan-gp".
        statistic: What was measured, in words, with the unit.
        estimate: The value with its interval; None where nothing could be measured.
        interval: What the interval is over, as in "seeds" or "steps (moving blocks)".
        threshold: The plan's, in words.
        sentence: The result in words.
    """

    claim: str
    subject: str
    statistic: str
    estimate: Estimate | None = None
    interval: str = ""
    threshold: str = NO_THRESHOLD
    verdict: Verdict = Verdict.UNDECIDED
    sentence: str


@dataclass(frozen=True)
class Claim:
    """A claim under test and its verdict.

    Attributes:
        key: Its name, as in its findings.
        statement: The claim in a sentence, with its place in the source.
        sentence: The result in words.
        findings: The measurements behind the verdict.
    """

    key: str
    statement: str
    verdict: Verdict
    sentence: str
    findings: tuple[Finding, ...]
