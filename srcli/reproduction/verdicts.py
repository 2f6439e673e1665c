"""What is said of a claim: the type that every part of a reproduction hands on."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What the measurements say of a claim."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    UNDECIDED = "undecided"


class Estimate(NamedTuple):
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Finding:
    """One measurement that bears on a claim, and the verdict that it gives.

    Attributes:
        claim: The key of the claim it belongs to, as "wgan.modes".
        subject: The cell, objective or study it is about, as "8 Gaussians, wgan-gp".
        statistic: What was measured, in words, with the unit.
        estimate: The value with its interval; None where nothing could be measured.
        interval: What the interval is over: "seeds", "steps (moving blocks)", "faces" or "seeds and faces".
        threshold: In words, as written in the plan.
        verdict: What follows.
        sentence: One sentence that a reader understands.
    """

    claim: str
    subject: str
    statistic: str
    estimate: Estimate | None
    interval: str
    threshold: str
    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class Claim:
    """One of the claims under test, and what became of it.

    Attributes:
        key: Its name, which its findings bear, too.
        statement: The claim in a sentence, with its place in the source.
        sentence: What was found, with figures.
        findings: All measurements that bear on it.
    """

    key: str
    statement: str
    verdict: Verdict
    sentence: str
    findings: tuple[Finding, ...]
