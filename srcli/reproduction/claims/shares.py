"""Shares of good runs by cell and objective, and the verdicts that follow.

Intervals treat runs as independent. Those of one architecture are more alike, so that a share over several
architectures is less certain than its interval says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from srcli.reproduction.cells import Cell
from srcli.reproduction.intervals import majority, share_difference
from srcli.reproduction.verdicts import Estimate, Finding, Verdict, all_of, decide, surely_above
from srcli.reproduction.wording import TITLES, WASSERSTEIN, counted, first_upper, listed, with_interval


@dataclass(frozen=True)
class Tally:
    """How many runs of a cell, or of several together, are good, done, and planned without a result."""

    name: str
    objective: str
    good: int
    done: int
    missing: int

    @property
    def mostly_good(self) -> bool:
        """Whether most of the planned runs are good."""
        return 2 * self.good > self.done + self.missing

    @property
    def verdict(self) -> Verdict:
        """Holds if most of the planned runs are good, does not hold if none is or will be."""
        return decide(self.mostly_good, self.done > 0 and self.good + self.missing == 0)

    @property
    def share(self) -> tuple[Estimate, Verdict]:
        """The share of good runs, and whether it is surely above one half."""
        return majority(self.good, self.done, self.missing)


def tally(cell: Cell, findings: Sequence[Finding]) -> Tally:
    """The tally of a cell by the findings on its runs; a run without one is neither done nor missing."""
    good = sum(finding.verdict is Verdict.HOLDS for finding in findings)
    return Tally(cell.name, cell.objective, good, len(findings), cell.missing)


def of_objectives(tallies: Sequence[Tally], *objectives: str) -> list[Tally]:
    """The tallies of some objectives."""
    return [one for one in tallies if one.objective in objectives]


def verdict_of(tallies: Sequence[Tally]) -> Verdict:
    """The verdict on a claim about all cells.

    Holds if the share of good runs is surely above one half and most runs of every cell are good. Does not
    hold if a cell has no good run at all, or the share is surely below one half.
    """
    return all_of([_sum(tallies).share[1], *(one.verdict for one in tallies)])


def share_findings(claim: str, tallies: Sequence[Tally], good: str) -> list[Finding]:
    """The share of good runs of each cell and of each objective.

    Args:
        good: What a good run is, as in "stable".
    """

    def found(one: Tally, threshold: str, verdict: Verdict, ending: str = "") -> Finding:
        return Finding(
            claim=claim,
            subject=one.name,
            statistic=f"share of runs that are {good}",
            estimate=one.share[0],
            interval="runs (Wilson)",
            threshold=threshold,
            verdict=verdict,
            sentence=f"{first_upper(good)}: {one.good} of {counted(one.done, 'run')}{ending}.",
        )

    by_cell = "holds if most of the planned runs are, does not hold if none is"
    findings = [found(one, by_cell, one.verdict) for one in tallies if one.done]
    for one in _by_objective(tallies):
        estimate, verdict = one.share
        ending = f" over all architectures, share {with_interval(estimate)}"
        findings.append(found(one, "above one half", verdict, ending))
    return findings


def contrast(claim: str, tallies: Sequence[Tally], good: str) -> Finding | None:
    """Whether runs of the Wasserstein objectives are more often good than those of the GAN."""
    ours, theirs = _sum(of_objectives(tallies, *WASSERSTEIN)), _sum(of_objectives(tallies, "gan"))
    if not ours.done or not theirs.done:
        return None
    estimate = share_difference(ours.good, ours.done, theirs.good, theirs.done)
    missing = any(one.missing for one in tallies)
    verdict = Verdict.UNDECIDED if missing else surely_above(estimate, 0)
    openings = {
        Verdict.HOLDS: f"Wasserstein runs are more often {good} than GAN runs",
        Verdict.DOES_NOT_HOLD: f"Wasserstein runs are less often {good} than GAN runs",
        Verdict.UNDECIDED: f"Whether Wasserstein runs are more often {good} than GAN runs cannot be told",
    }
    return Finding(
        claim=claim,
        subject="Wasserstein objectives against the GAN",
        statistic=f"difference of the shares of runs that are {good}",
        estimate=estimate,
        interval="runs (Newcombe)",
        threshold="above 0",
        verdict=verdict,
        sentence=f"{openings[verdict]}: {ours.good} of {ours.done} against {theirs.good} of {theirs.done},"
        f" difference {with_interval(estimate)}.",
    )


def counts_by_objective(tallies: Sequence[Tally]) -> str:
    """As in "GAN 3 of 15 and WGAN 9 of 15"; empty without runs."""
    return listed([f"{one.name} {one.good} of {one.done}" for one in _by_objective(tallies)])


def _by_objective(tallies: Sequence[Tally]) -> list[Tally]:
    sums = [_sum(of_objectives(tallies, objective), title) for objective, title in TITLES.items()]
    return [one for one in sums if one.done]


def _sum(tallies: Sequence[Tally], name: str = "") -> Tally:
    good, done, missing = (sum(getattr(one, key) for one in tallies) for key in ("good", "done", "missing"))
    return Tally(name, "", good, done, missing)
