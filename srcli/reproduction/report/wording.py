"""How a report writes numbers, intervals and what is not there."""

import math
from collections.abc import Collection, Sequence

from srcli.reproduction.intervals import student_interval
from srcli.reproduction.verdicts import Estimate
from srcli.reproduction.wording import listed

UNKNOWN = "–"


def number(value: float, digits: int = 3) -> str:
    """A value with `digits` significant digits; a dash for NaN."""
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(decimals, 5)}f}".replace("-", "−")


def cell_of_table(value: str | int | float) -> str:
    """Text as it is, whole numbers in full, others with three significant digits."""
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else number(value)


def fixed(value: float, decimals: int) -> str:
    """A value with `decimals` decimals; a dash for NaN."""
    return f"{value:.{decimals}f}".replace("-", "−") if math.isfinite(value) else number(value)


def in_brackets(estimate: Estimate | None) -> str:
    """As in "0.410 [0.200, 0.600]", or "0.410" without an interval; a dash for None."""
    if estimate is None:
        return UNKNOWN
    if math.isnan(estimate.low) and math.isnan(estimate.high):
        return number(estimate.value)
    return f"{number(estimate.value)} [{number(estimate.low)}, {number(estimate.high)}]"


def over_seeds(values: Sequence[float], decimals: int) -> str:
    """The mean with half of its 95 % Student interval, as in "20.61 ± 0.35"; one seed has no interval."""
    if not values:
        return UNKNOWN
    estimate = student_interval(values)
    mean = fixed(estimate.value, decimals)
    if math.isnan(estimate.high):
        return mean
    return f"{mean} ± {fixed(estimate.high - estimate.value, decimals)}"


def waiting(names: Sequence[str]) -> str:
    """A sentence on the experiments that have not been run; empty without any."""
    if len(names) > 6:
        return f"{len(names)} experiments have not been run yet; the table below names them."
    return f"Not run yet: {', '.join(names)}." if names else ""


def unplanned(names: Sequence[str], planned: Collection[str]) -> str:
    """A sentence on the experiments of a figure that the plan lacks; empty without any."""
    absent = [name for name in names if name not in planned]
    if not absent:
        return ""
    if len(absent) == len(names):
        return "None of its experiments is in this plan."
    return f"Not in this plan: {listed(absent)}."
