"""Intervals over seeds, and what follows from them."""

import math
from collections.abc import Sequence

import numpy as np

from srcli.reproduction.studies.settings import Bound
from srcli.reproduction.verdicts import Estimate, Verdict

LEVEL = 0.95


def mean_over_seeds(values: Sequence[float]) -> Estimate:
    """The mean of one value a seed with its 95 % Student interval; at least two seeds."""
    from scipy.stats import t

    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    reach = float(t.ppf((1 + LEVEL) / 2, len(values) - 1)) * error
    return Estimate(mean, mean - reach, mean + reach)


def geometric_mean_over_seeds(values: Sequence[float]) -> Estimate:
    """The geometric mean of one positive value a seed, with the Student interval of the logarithms."""
    smallest = float(np.finfo(float).tiny)  # what has underflowed to 0 stays on the scale
    logarithms = mean_over_seeds([math.log(max(value, smallest)) for value in values])
    return Estimate(*(math.exp(value) for value in logarithms))


def share_of_seeds(passed: Sequence[bool]) -> Estimate:
    """The share of seeds that passed, with its 95 % Wilson interval (Wilson 1927)."""
    from scipy.stats import norm

    count, share = len(passed), sum(passed) / len(passed)
    z = float(norm.ppf((1 + LEVEL) / 2))
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    return Estimate(share, max(0.0, middle - reach), min(1.0, middle + reach))


def judge(estimate: Estimate, bound: Bound) -> Verdict:
    """Holds if the whole interval lies within the bound, does not if none of it does, else undecided."""
    low = -math.inf if bound.at_least is None else bound.at_least
    high = math.inf if bound.at_most is None else bound.at_most
    if low <= estimate.low and estimate.high <= high:
        return Verdict.HOLDS
    if estimate.high < low or estimate.low > high:
        return Verdict.DOES_NOT_HOLD
    return Verdict.UNDECIDED


def regression(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Slope and R2 of the least-squares line of y on x; R2 is 0 where y does not vary."""
    deviations_x, deviations_y = np.subtract(x, np.mean(x)), np.subtract(y, np.mean(y))
    covariance = float(deviations_x @ deviations_y)
    variance_x, variance_y = float(deviations_x @ deviations_x), float(deviations_y @ deviations_y)
    slope = covariance / variance_x
    return slope, slope * covariance / variance_y if variance_y > 0 else 0.0
