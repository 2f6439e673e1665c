"""How objectives, counts and figures read in a sentence."""

import math
from collections.abc import Sequence

from srcli.reproduction.verdicts import Estimate

TITLES = {"gan": "GAN", "wgan": "WGAN", "wgan-gp": "WGAN-GP"}
WASSERSTEIN = ("wgan", "wgan-gp")


def with_interval(estimate: Estimate, digits: int = 2, unit: str = "") -> str:
    """As in "0.41 dB (0.12 to 0.63)", or "0.41 dB" without an interval."""
    value = f"{estimate.value:z.{digits}f}{f' {unit}' if unit else ''}"
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return value
    return f"{value} ({estimate.low:z.{digits}f} to {estimate.high:z.{digits}f})"


def listed(items: Sequence[str]) -> str:
    """As in "a, b and c"."""
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def counted(count: int, noun: str) -> str:
    """As in "1 run" and "2 runs"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def first_upper(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
