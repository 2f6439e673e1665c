"""Runs that are good or not: their shares by cell and by objective, and what follows for a claim.

Intervals take runs for independent. Those of one architecture are more alike, so that a share over several
architectures is less sure than its interval says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from srcli.reproduction.claims.cells import WASSERSTEIN, Cell
from srcli.reproduction.claims.claim import decide, majority, surely_above
from srcli.reproduction.claims.wording import TITLES, counted, first_upper, listed, with_interval
from srcli.reproduction.intervals import share_difference, wilson
from srcli.reproduction.verdicts import Estimate, Finding, Verdict

_OVER_RUNS = "runs (Wilson)"


@dataclass(frozen=True)
class Tally:
    """How many of a cell's runs are good."""

    cell: Cell
    good: int

    @property
    def done(self) -> int:
        """How many runs are done, finished or diverged."""
        return len(self.cell.runs)

    @property
    def verdict(self) -> Verdict:
        """Holds where most of the planned runs are good, does not hold where none is or will be."""
        none = self.cell.planned > 0 and self.good + self.cell.missing == 0
        return decide(2 * self.good > self.cell.planned, none)


def verdict_of(tallies: Sequence[Tally]) -> Verdict:
    """What cells say together of a claim about all of them.

    Holds where the share of good runs is surely above one half and most runs of every cell are good. Does not
    hold where a cell has no good run at all, or the share is surely below one half.
    """
    _, of_share = _whole(tallies)
    verdicts = [tally.verdict for tally in tallies]
    return decide(
        of_share is Verdict.HOLDS and all(verdict is Verdict.HOLDS for verdict in verdicts),
        of_share is Verdict.DOES_NOT_HOLD or Verdict.DOES_NOT_HOLD in verdicts,
    )


def findings_of(claim: str, tallies: Sequence[Tally], good: str) -> list[Finding]:
    """The share of good runs of each cell and of each objective.

    Args:
        good: What a good run is, as in "stable".
    """
    return [*_by_cell(claim, tallies, good), *_by_objective(claim, tallies, good)]


def contrast(claim: str, tallies: Sequence[Tally], good: str) -> Finding | None:
    """Whether runs of the Wasserstein objectives are more often good than those of the GAN."""
    ours, theirs = of_wasserstein(tallies), of_gan(tallies)
    if not sum(tally.done for tally in ours) or not sum(tally.done for tally in theirs):
        return None
    counts = [
        (sum(tally.good for tally in side), sum(tally.done for tally in side)) for side in (ours, theirs)
    ]
    estimate = share_difference(*counts[0], *counts[1])
    missing = any(tally.cell.missing for tally in tallies)
    verdict = Verdict.UNDECIDED if missing else surely_above(estimate, 0)
    openings = {
        Verdict.HOLDS: f"Wasserstein runs are more often {good} than GAN runs",
        Verdict.DOES_NOT_HOLD: f"Wasserstein runs are less often {good} than GAN runs",
        Verdict.UNDECIDED: f"Whether Wasserstein runs are more often {good} than GAN runs cannot be told",
    }
    return Finding(
        claim,
        "Wasserstein objectives against the GAN",
        f"difference of the shares of runs that are {good}",
        estimate,
        "runs (Newcombe)",
        "above 0",
        verdict,
        f"{openings[verdict]}: {counts[0][0]} of {counts[0][1]} against {counts[1][0]} of {counts[1][1]},"
        f" difference {with_interval(estimate)}.",
    )


def of_wasserstein(tallies: Sequence[Tally]) -> list[Tally]:
    """Those of the two Wasserstein objectives."""
    return [tally for tally in tallies if tally.cell.objective in WASSERSTEIN]


def of_gan(tallies: Sequence[Tally]) -> list[Tally]:
    """Those of the GAN."""
    return [tally for tally in tallies if tally.cell.objective not in WASSERSTEIN]


def counts_by_objective(tallies: Sequence[Tally]) -> str:
    """As in "GAN 3 of 15 and WGAN 9 of 15"; empty without runs."""
    told = []
    for objective, title in TITLES.items():
        own = [tally for tally in tallies if tally.cell.objective == objective]
        if done := sum(tally.done for tally in own):
            told.append(f"{title} {sum(tally.good for tally in own)} of {done}")
    return listed(told)


def _by_cell(claim: str, tallies: Sequence[Tally], good: str) -> list[Finding]:
    return [
        Finding(
            claim,
            tally.cell.name,
            f"share of runs that are {good}",
            wilson(tally.good, tally.done),
            _OVER_RUNS,
            "holds if most of the planned runs are, does not hold if none is",
            tally.verdict,
            f"{first_upper(good)}: {tally.good} of {counted(tally.done, 'run')}.",
        )
        for tally in tallies
        if tally.done
    ]


def _by_objective(claim: str, tallies: Sequence[Tally], good: str) -> list[Finding]:
    findings = []
    for objective, title in TITLES.items():
        own = [tally for tally in tallies if tally.cell.objective == objective]
        if not sum(tally.done for tally in own):
            continue
        estimate, verdict = _whole(own)
        counts = f"{sum(tally.good for tally in own)} of {counted(sum(tally.done for tally in own), 'run')}"
        sentence = f"{first_upper(good)}: {counts} over all architectures, share {with_interval(estimate)}."
        statistic = f"share of runs that are {good}"
        findings.append(
            Finding(claim, title, statistic, estimate, _OVER_RUNS, "above one half", verdict, sentence)
        )
    return findings


def _whole(tallies: Sequence[Tally]) -> tuple[Estimate, Verdict]:
    counts = [(tally.good, tally.done, tally.cell.missing) for tally in tallies]
    return majority(*(sum(column) for column in zip(*counts, strict=True))) if counts else majority(0, 0, 0)
