"""Claim 3: no mode collapse."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from srcli.reproduction.claims.cells import (
    KINDS,
    Cell,
    better_kind,
    in_parts,
    missing_findings,
    subject_of,
)
from srcli.reproduction.claims.claim import (
    all_of,
    alone,
    decide,
    surely_at_least,
    surely_at_most,
)
from srcli.reproduction.claims.paired import left_out, settled
from srcli.reproduction.claims.shares import (
    Tally,
    contrast,
    counts_by_objective,
    findings_of,
    of_wasserstein,
    verdict_of,
)
from srcli.reproduction.claims.wording import TITLES, with_interval
from srcli.reproduction.intervals import student_interval
from srcli.reproduction.plan import Collapse
from srcli.reproduction.records import RunRecord
from srcli.reproduction.verdicts import Claim, Estimate, Finding, Verdict

KEY = "collapse"
STATEMENT = (
    "With WGAN-GP no mode collapse is seen, in super-resolution and from noise, where the GAN collapses"
    " (figure 5)."
)
FREE = "free of collapse"


@dataclass(frozen=True)
class _Samples:
    """What the samples of a noise cell come to.

    Attributes:
        verdict: Whether they are surely free of collapse.
    """

    cell: Cell
    verdict: Verdict
    duplicates: Estimate
    recall: Estimate
    findings: tuple[Finding, ...]


def judge_collapse(cells: Sequence[Cell], thresholds: Collapse, least_spread: float) -> Claim:
    """Judges the variety of enlarged faces and of samples from noise.

    The claim holds where the WGAN-GP samples are surely free of collapse and the Wasserstein runs of the grid
    are (see `shares.verdict_of`), and does not hold where either does not. Diverged runs have no outputs and
    are left out.

    Args:
        least_spread: Of enlarged faces, over the labels'.
    """
    grid, noise = in_parts(cells, ("grid",)), in_parts(cells, ("noise",))
    judged = {
        cell.name: [_judge_run(run, thresholds, least_spread) for run in cell.finished] for cell in grid
    }
    tallies = [
        Tally(_without_diverged(cell), sum(run.verdict is Verdict.HOLDS for run in judged[cell.name]))
        for cell in grid
    ]
    samples = [_judge_samples(cell, thresholds) for cell in noise if cell.finished]
    of_penalty = [one.verdict for one in samples if one.cell.objective == "wgan-gp"]
    verdict = all_of([*(of_penalty or [Verdict.UNDECIDED]), verdict_of(of_wasserstein(tallies))])
    against_gan = contrast(KEY, tallies, FREE)
    findings = [
        *(finding for one in samples for finding in one.findings),
        *([against_gan] if against_gan else []),
        *findings_of(KEY, tallies, FREE),
        *missing_findings(KEY, noise + grid),
        *(run for of_cell in judged.values() for run in of_cell),
    ]
    return Claim(KEY, STATEMENT, verdict, _sentence(tallies, samples), tuple(findings))


def _without_diverged(cell: Cell) -> Cell:
    return replace(cell, runs=cell.finished, planned=max(cell.planned - cell.diverged, 0))


def _judge_run(run: RunRecord, thresholds: Collapse, least_spread: float) -> Finding:
    kind = better_kind(run)
    duplicates, spread = run.figures[f"duplicates_{kind}"], run.figures[f"spread_{kind}"]
    free = duplicates <= thresholds.most_duplicates and spread >= least_spread
    return Finding(
        KEY,
        subject_of(run),
        f"duplicates among enlarged faces, {kind} statistics",
        alone(duplicates),
        "",
        f"duplicates at most {thresholds.most_duplicates:g}, spread at least {least_spread:g}",
        decide(free, not free),
        f"{'No collapse' if free else 'Collapsed'} by step {run.step}: {duplicates:.0%} of the enlarged"
        f" faces have a near"
        f" copy, and they differ {spread:.2f} times as much as the labels, with {kind} statistics.",
    )


def _judge_samples(cell: Cell, thresholds: Collapse) -> _Samples:
    kind = _more_recall(cell)
    duplicates = student_interval(_over_seeds(cell, "duplicates", kind))
    recall = student_interval(_over_seeds(cell, "recall", kind))
    of_duplicates = settled(surely_at_most(duplicates, thresholds.most_duplicates), [cell])
    of_recall = settled(surely_at_least(recall, thresholds.least_recall), [cell])
    verdict = all_of([of_duplicates, of_recall])
    findings = (
        _finding_of_samples(
            cell, "duplicates", kind, f"at most {thresholds.most_duplicates:g}", of_duplicates
        ),
        _finding_of_samples(cell, "recall", kind, f"at least {thresholds.least_recall:g}", of_recall),
    )
    return _Samples(cell, verdict, duplicates, recall, findings)


def _finding_of_samples(cell: Cell, figure: str, kind: str, threshold: str, verdict: Verdict) -> Finding:
    what = {"duplicates": "samples that have a near copy", "recall": "test faces that the samples cover"}[
        figure
    ]
    told = {each: student_interval(_over_seeds(cell, figure, each)) for each in _kinds(cell)}
    beside = "".join(
        f"; {with_interval(estimate)} with {other} statistics"
        for other, estimate in told.items()
        if other != kind
    )
    return Finding(
        KEY,
        cell.name,
        f"share of {what}, {kind} statistics",
        told[kind],
        "seeds",
        threshold,
        verdict,
        f"{TITLES[cell.objective]} from noise, 1,000 samples: the share of {what} is"
        f" {with_interval(told[kind])} with"
        f" {kind} statistics{beside}{left_out([cell])}.",
    )


def _kinds(cell: Cell) -> list[str]:
    return [kind for kind in KINDS if all(f"recall_{kind}" in run.figures for run in cell.finished)]


def _more_recall(cell: Cell) -> str:
    """The kind of batch statistics with which the samples cover more faces; with fewer copies when equal."""

    def quality(kind: str) -> tuple[float, float]:
        return float(_over_seeds(cell, "recall", kind).mean()), -float(
            _over_seeds(cell, "duplicates", kind).mean()
        )

    return max(_kinds(cell), key=quality)


def _over_seeds(cell: Cell, figure: str, kind: str) -> np.ndarray:
    return np.array([run.figures[f"{figure}_{kind}"] for run in cell.finished])


def _sentence(tallies: Sequence[Tally], samples: Sequence[_Samples]) -> str:
    told = [
        f"from noise, {TITLES[one.cell.objective]} has {with_interval(one.duplicates)} duplicates and covers"
        f" {with_interval(one.recall)} of the test faces ({_outcome(one.verdict)})"
        for one in sorted(samples, key=lambda one: one.cell.objective, reverse=True)
    ]
    if counts := counts_by_objective(tallies):
        told.insert(0, f"In super-resolution {counts} runs were free of collapse")
    return (told[0][:1].upper() + "; ".join(told)[1:] + ".") if told else "No run is done."


def _outcome(verdict: Verdict) -> str:
    outcomes = {
        Verdict.HOLDS: "no collapse",
        Verdict.DOES_NOT_HOLD: "collapsed, by these thresholds",
        Verdict.UNDECIDED: "not surely on either side of the thresholds",
    }
    return outcomes[verdict]
