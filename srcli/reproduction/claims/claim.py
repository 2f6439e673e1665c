"""The rules by which intervals become verdicts.

A verdict compares an interval with a threshold that was written before the runs. Where runs are missing it is
given only if no outcome of them could change it.
"""

import math
from collections.abc import Iterable

from srcli.reproduction.intervals import wilson
from srcli.reproduction.verdicts import Estimate, Verdict

MAJORITY = 0.5
NO_THRESHOLD = "none: it is told beside"


def surely_above(estimate: Estimate, threshold: float) -> Verdict:
    """Holds where the whole interval is above the threshold, does not hold where it is below."""
    return decide(estimate.low > threshold, estimate.high < threshold)


def surely_at_most(estimate: Estimate, threshold: float) -> Verdict:
    """Holds where the whole interval is at or below the threshold, does not hold where it is above."""
    return decide(estimate.high <= threshold, estimate.low > threshold)


def surely_at_least(estimate: Estimate, threshold: float) -> Verdict:
    """Holds where the whole interval is at or above the threshold, does not hold where it is below."""
    return decide(estimate.low >= threshold, estimate.high < threshold)


def decide(holds: bool, does_not_hold: bool) -> Verdict:
    """The verdict when the conditions for either side are known; undecided without one."""
    if does_not_hold:
        return Verdict.DOES_NOT_HOLD
    return Verdict.HOLDS if holds else Verdict.UNDECIDED


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Holds where all hold, does not hold where one does not; undecided otherwise, and of none."""
    listed = list(verdicts)
    holds = bool(listed) and all(verdict is Verdict.HOLDS for verdict in listed)
    return decide(holds, Verdict.DOES_NOT_HOLD in listed)


def majority(good: int, done: int, missing: int) -> tuple[Estimate, Verdict]:
    """The share of good runs with Wilson's interval, and whether it is surely more than half.

    The verdict counts missing runs against itself: it holds even if all of them turn out bad, and does not
    hold even if all turn out good.
    """
    lowest, highest = wilson(good, done + missing), wilson(good + missing, done + missing)
    return wilson(good, done), decide(lowest.low > MAJORITY, highest.high < MAJORITY)


def alone(value: float) -> Estimate:
    """A value without an interval."""
    return Estimate(value, math.nan, math.nan)
