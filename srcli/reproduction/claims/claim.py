"""The rules by which intervals become verdicts.

A verdict compares an interval with a threshold that was set before the runs. While runs are missing, there is
one only if no outcome of theirs could change it.
"""

from srcli.reproduction.intervals import wilson
from srcli.reproduction.verdicts import Estimate, Verdict, decide

MAJORITY = 0.5


def surely_above(estimate: Estimate, threshold: float) -> Verdict:
    """Holds if the whole interval is above the threshold, does not hold if it is below."""
    return decide(estimate.low > threshold, estimate.high < threshold)


def majority(good: int, done: int, missing: int) -> tuple[Estimate, Verdict]:
    """The share of good runs with Wilson's interval, and whether it is surely more than half.

    The verdict holds only if it would with all missing runs bad, and does not hold only if it would not with
    all of them good.
    """
    lowest, highest = wilson(good, done + missing), wilson(good + missing, done + missing)
    return wilson(good, done), decide(lowest.low > MAJORITY, highest.high < MAJORITY)
