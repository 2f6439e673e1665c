"""Intervals over the test faces, over the seeds of training, or over both.

They answer different questions. An interval over faces says how these trained generators would do on more
such faces; one over seeds says how the next training would do, and only the latter is about an objective or
an architecture. Values are one float64 array (N,) per seed, of the same faces in the same order unless
stated. `resamples` is how often they are drawn, `seed` that of the draws.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from srcli.metrics.measures import bootstrap_interval
from srcli.reproduction.verdicts import Estimate, Verdict, decide

Values = NDArray[np.float64]

_TAIL = 0.025  # beyond each end of a 95 % interval


def wilson(successes: int, trials: int) -> Estimate:
    """A share with its 95 % score interval (Wilson 1927), valid for few trials and for shares of 0 and 1.

    Without trials the share is NaN and the interval [0, 1].
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials")
    if trials == 0:
        return Estimate(math.nan, 0.0, 1.0)
    interval = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high))


def majority(good: int, done: int, missing: int) -> tuple[Estimate, Verdict]:
    """The share of good runs with Wilson's interval, and whether it is surely more than half.

    The verdict holds only if it would with all missing runs bad, and does not hold only if it would not with
    all of them good.
    """
    lowest, highest = wilson(good, done + missing), wilson(good + missing, done + missing)
    return wilson(good, done), decide(lowest.low > 0.5, highest.high < 0.5)


def share_difference(successes: int, trials: int, other_successes: int, other_trials: int) -> Estimate:
    """The difference of two independent shares with Newcombe's 95 % interval (1998, method 10).

    It combines the two Wilson intervals, so that it is valid for few trials. Both need one trial or more.
    """
    ours, theirs = wilson(successes, trials), wilson(other_successes, other_trials)
    difference = ours.value - theirs.value
    below = math.hypot(ours.value - ours.low, theirs.high - theirs.value)
    above = math.hypot(ours.high - ours.value, theirs.value - theirs.low)
    return Estimate(difference, difference - below, difference + above)


def faces_interval(values: Sequence[Values], resamples: int = 2000, seed: int = 0) -> Estimate:
    """The mean of seeds and faces, with its 95 % bootstrap interval over *faces*: these runs, other faces."""
    means = _of_the_same_faces(values).mean(axis=0)
    if np.isnan(means).any():
        return Estimate(math.nan)
    return Estimate(float(means.mean()), *bootstrap_interval(means, resamples=resamples, seed=seed))


def seeds_interval(values: Sequence[Values]) -> Estimate:
    """The mean of the seeds' means, with its 95 % Student t interval over *seeds*: other runs, these faces.

    The faces of the seeds need not be the same.
    """
    if not values or any(len(faces) == 0 for faces in values):
        raise ValueError("an interval needs one seed or more, and of each one face or more")
    return student_interval([float(np.mean(faces)) for faces in values])


def student_interval(values: Sequence[float] | Values) -> Estimate:
    """The mean of a few independent figures, one per seed, with the 95 % interval of Student's t.

    With three seeds it is 2.48 standard deviations to either side. One value has no interval: low and high
    are NaN.
    """
    count = len(values)
    if count == 0:
        raise ValueError("an interval needs one value or more")
    mean = float(np.mean(values))
    if count == 1 or not math.isfinite(mean):
        return Estimate(mean)
    reach = float(stats.t.ppf(1 - _TAIL, count - 1)) * (float(np.std(values, ddof=1)) / math.sqrt(count))
    return Estimate(mean, mean - reach, mean + reach)


def geometric_interval(values: Sequence[float]) -> Estimate:
    """The geometric mean of one positive figure per seed, with the Student interval of the logarithms."""
    smallest = float(np.finfo(float).tiny)  # what has underflowed to 0 stays on the scale
    logarithms = student_interval([math.log(max(value, smallest)) for value in values])
    return Estimate(*(math.exp(value) for value in logarithms))


def crossed_bootstrap(values: Sequence[Values], resamples: int = 2000, seed: int = 0) -> Estimate:
    """The mean of seeds and faces, with its 95 % bootstrap interval over both, for faces that seeds share.

    Seeds and faces are each drawn with replacement, independently, and a drawn face counts for every drawn
    seed (the pigeonhole bootstrap: Owen 2007, "The pigeonhole bootstrap").

    With few seeds percentiles are too narrow, as nothing can be drawn beyond the outermost seed: three seeds
    that differ more than their faces do give an interval that covers in about 75 % of the cases, not 95 %.
    `seeds_interval` has no such fault.
    """
    table = _of_the_same_faces(values)
    seeds, faces = table.shape
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    for i in range(resamples):
        of_faces = table[generator.integers(seeds, size=seeds)].mean(axis=0)
        means[i] = of_faces[generator.integers(faces, size=faces)].mean()
    # Order statistics, not interpolated: some means may be infinite.
    low, high = np.quantile(means, (_TAIL, 1 - _TAIL), method="inverted_cdf")
    return Estimate(float(table.mean()), float(low), float(high))


def paired_differences(ours: Sequence[Values], baseline: Values) -> list[Values]:
    """Each seed's figures minus the baseline's on the same faces, for any of the intervals here.

    Pairing removes what makes a face hard for both, so that the interval is of the difference alone. Two
    infinite figures (the PSNR of two pictures without any error) differ by 0.
    """
    table, theirs = _of_the_same_faces(ours), np.asarray(baseline, dtype=np.float64)
    if table.shape[1:] != theirs.shape:
        raise ValueError(f"figures of {table.shape[1]} faces cannot be paired with those of {theirs.shape}")
    with np.errstate(invalid="ignore"):
        return [np.where(figures == theirs, 0.0, figures - theirs) for figures in table]


def _of_the_same_faces(values: Sequence[NDArray[np.floating[Any]]]) -> Values:
    """One row for each seed: (seeds, N)."""
    lengths = {len(faces) for faces in values}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"every seed must have figures of the same faces, not of {sorted(lengths)}")
    return np.stack([np.asarray(faces, dtype=np.float64) for faces in values])
