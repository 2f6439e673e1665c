"""How a report puts numbers and names into words."""

import math
from collections.abc import Collection, Sequence

import numpy as np

from srcli.reproduction.intervals import student_interval
from srcli.reproduction.verdicts import Estimate

TITLES = {"gan": "GAN", "wgan": "WGAN", "wgan-gp": "WGAN-GP"}
UNKNOWN = "–"

PAPERS_SCALE = "the paper: full width, 202,599 faces, length not stated"
AUTHORS_LOG = (
    "For comparison, the authors' own log (their repository srez, summary/1: the ResNet with the clipped"
    " WGAN and no L1 term, 14,560 steps): there the size of the critic's loss, averaged over tenths of the"
    " run, rises from 0.23 to 1.03 in the ninth and 0.95 in the last."
)


def number(value: float, digits: int = 3) -> str:
    """A value with some significant digits; a dash for what is not defined."""
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(decimals, 5)}f}".replace("-", "−")


def fixed(value: float, decimals: int) -> str:
    """A value with some decimals; a dash for what is not defined."""
    return f"{value:.{decimals}f}".replace("-", "−") if math.isfinite(value) else number(value)


def with_interval(estimate: Estimate | None) -> str:
    """As "0.41 [0.2, 0.6]"; a value alone where it has no interval, a dash where there is none."""
    if estimate is None:
        return UNKNOWN
    if math.isnan(estimate.low) and math.isnan(estimate.high):
        return number(estimate.value)
    return f"{number(estimate.value)} [{number(estimate.low)}, {number(estimate.high)}]"


def over_seeds(values: Sequence[float], decimals: int) -> str:
    """The mean with half of its 95 % Student interval, as "20.61 ± 0.35"; one seed has no interval."""
    if not values:
        return UNKNOWN
    estimate = student_interval(np.array(values))
    mean = fixed(estimate.value, decimals)
    if math.isnan(estimate.high):
        return mean
    return f"{mean} ± {fixed(estimate.high - estimate.value, decimals)}"


def listed(words: Sequence[str]) -> str:
    """As "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def counted(count: int, noun: str) -> str:
    """As "1 run" or "3 runs"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def waiting(names: Sequence[str]) -> str:
    """Which experiments have not been run; empty if all have."""
    if len(names) > 6:
        return f"{len(names)} experiments have not been run yet; the table below names them."
    return f"Not run yet: {', '.join(names)}." if names else ""


def unplanned(names: Sequence[str], planned: Collection[str]) -> str:
    """Which experiments of a figure the plan doesn't have; empty if it has all."""
    absent = [name for name in names if name not in planned]
    if not absent:
        return ""
    if len(absent) == len(names):
        return "None of its experiments is in this plan."
    return f"Not in this plan: {listed(absent)}."
