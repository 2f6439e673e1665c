"""Claim 3: no mode collapse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from srcli.reproduction.cells import Cell
from srcli.reproduction.claims.figures import (
    KINDS,
    Values,
    better_kind,
    if_complete,
    in_parts,
    missing_findings,
    subject_of,
    without_diverged,
)
from srcli.reproduction.claims.shares import (
    Tally,
    contrast,
    counts_by_objective,
    of_objectives,
    share_findings,
    tally,
    verdict_of,
)
from srcli.reproduction.intervals import student_interval
from srcli.reproduction.plan import Collapse
from srcli.reproduction.records import RunRecord
from srcli.reproduction.verdicts import Claim, Estimate, Finding, Verdict, all_of, decide, surely_within
from srcli.reproduction.wording import TITLES, WASSERSTEIN, first_upper, with_interval

KEY = "collapse"
STATEMENT = (
    "With WGAN-GP no mode collapse is seen, in super-resolution and from noise, where the GAN collapses"
    " (figure 5)."
)
FREE = "free of collapse"
_SHARES = {"duplicates": "samples that have a near copy", "recall": "test faces that the samples cover"}


@dataclass(frozen=True)
class _Samples:
    """The findings on the samples of a noise cell."""

    cell: Cell
    duplicates: Finding
    recall: Finding

    @property
    def verdict(self) -> Verdict:
        """Whether the samples are surely free of collapse."""
        return all_of([self.duplicates.verdict, self.recall.verdict])


def judge_collapse(cells: Sequence[Cell], thresholds: Collapse, least_spread: float) -> Claim:
    """Judges the variety of enlarged faces and of samples from noise.

    The claim holds if the WGAN-GP samples are surely free of collapse and the Wasserstein runs of the grid
    are (see `shares.verdict_of`), and does not hold if either does not. Diverged runs have no outputs and
    are left out.

    Args:
        least_spread: Of enlarged faces, over the labels'.
    """
    grid, noise = in_parts(cells, "grid"), in_parts(cells, "noise")
    judged = {
        cell.name: [_judge_run(run, thresholds, least_spread) for run in cell.finished] for cell in grid
    }
    tallies = [tally(cell, judged[cell.name]) for cell in grid]
    samples = [_judge_samples(cell, thresholds) for cell in noise if cell.finished]
    of_penalty = [one.verdict for one in samples if one.cell.objective == "wgan-gp"] or [Verdict.UNDECIDED]
    verdict = all_of([*of_penalty, verdict_of(of_objectives(tallies, *WASSERSTEIN))])
    against_gan = contrast(KEY, tallies, FREE)
    findings = [
        *(finding for one in samples for finding in (one.duplicates, one.recall)),
        *([against_gan] if against_gan else []),
        *share_findings(KEY, tallies, FREE),
        *missing_findings(KEY, noise + grid),
        *(run for of_cell in judged.values() for run in of_cell),
    ]
    return Claim(KEY, STATEMENT, verdict, _sentence(tallies, samples), tuple(findings))


def _judge_run(run: RunRecord, thresholds: Collapse, least_spread: float) -> Finding:
    kind = better_kind(run)
    duplicates, spread = run.figures[f"duplicates_{kind}"], run.figures[f"spread_{kind}"]
    free = duplicates <= thresholds.most_duplicates and spread >= least_spread
    return Finding(
        claim=KEY,
        subject=subject_of(run),
        statistic=f"duplicates among enlarged faces, {kind} statistics",
        estimate=Estimate(duplicates),
        threshold=f"duplicates at most {thresholds.most_duplicates:g}, spread at least {least_spread:g}",
        verdict=decide(free, not free),
        sentence=f"{'No collapse' if free else 'Collapsed'} by step {run.step}: {duplicates:.0%} of the"
        f" enlarged faces have a near copy, and they differ {spread:.2f} times as much as the labels, with"
        f" {kind} statistics.",
    )


def _judge_samples(cell: Cell, thresholds: Collapse) -> _Samples:
    kind = _better_kind_of_samples(cell)
    most, least = thresholds.most_duplicates, thresholds.least_recall
    return _Samples(
        cell,
        _finding_of_samples(cell, "duplicates", kind, f"at most {most:g}", partial(surely_within, high=most)),
        _finding_of_samples(cell, "recall", kind, f"at least {least:g}", partial(surely_within, low=least)),
    )


def _finding_of_samples(
    cell: Cell, figure: str, kind: str, threshold: str, judge: Callable[[Estimate], Verdict]
) -> Finding:
    what = _SHARES[figure]
    shares = {each: student_interval(_over_seeds(cell, figure, each)) for each in _kinds(cell)}
    share = shares.pop(kind)
    others = "".join(f"; {with_interval(one)} with {other} statistics" for other, one in shares.items())
    return Finding(
        claim=KEY,
        subject=cell.name,
        statistic=f"share of {what}, {kind} statistics",
        estimate=share,
        interval="seeds",
        threshold=threshold,
        verdict=if_complete(judge(share), [cell]),
        sentence=f"{TITLES[cell.objective]} from noise, 1,000 samples: the share of {what} is"
        f" {with_interval(share)} with {kind} statistics{others}{without_diverged([cell])}.",
    )


def _kinds(cell: Cell) -> list[str]:
    return [kind for kind in KINDS if all(f"recall_{kind}" in run.figures for run in cell.finished)]


def _better_kind_of_samples(cell: Cell) -> str:
    """The kind of batch statistics with the higher recall; of equal ones, with fewer duplicates."""
    mean = {
        kind: (_over_seeds(cell, "recall", kind).mean(), -_over_seeds(cell, "duplicates", kind).mean())
        for kind in _kinds(cell)
    }
    return max(mean, key=mean.__getitem__)


def _over_seeds(cell: Cell, figure: str, kind: str) -> Values:
    return np.array([run.figures[f"{figure}_{kind}"] for run in cell.finished])


def _sentence(tallies: Sequence[Tally], samples: Sequence[_Samples]) -> str:
    outcomes = {
        Verdict.HOLDS: "no collapse",
        Verdict.DOES_NOT_HOLD: "collapsed, by these thresholds",
        Verdict.UNDECIDED: "not surely on either side of the thresholds",
    }
    parts = []
    if counts := counts_by_objective(tallies):
        parts.append(f"In super-resolution {counts} runs were free of collapse")
    for one in sorted(samples, key=lambda one: one.cell.objective, reverse=True):
        assert one.duplicates.estimate is not None
        assert one.recall.estimate is not None
        parts.append(
            f"from noise, {TITLES[one.cell.objective]} has {with_interval(one.duplicates.estimate)}"
            f" duplicates and covers {with_interval(one.recall.estimate)} of the test faces"
            f" ({outcomes[one.verdict]})"
        )
    return f"{first_upper('; '.join(parts))}." if parts else "No run is done."
