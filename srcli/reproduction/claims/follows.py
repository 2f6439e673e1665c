"""Claim 1: the critic's loss follows quality."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from srcli.reproduction.cells import Cell
from srcli.reproduction.claims.curves import Pair, course_of_loss, pairs_of
from srcli.reproduction.claims.figures import in_parts, missing_findings, subject_of
from srcli.reproduction.intervals import majority
from srcli.reproduction.plan import Follows
from srcli.reproduction.records import RunRecord
from srcli.reproduction.series import Correlations, Trend, follows, mann_kendall, sign_changes
from srcli.reproduction.verdicts import Claim, Estimate, Finding, Verdict, decide
from srcli.reproduction.wording import TITLES, WASSERSTEIN, counted, first_upper, with_interval

KEY = "follows"
STATEMENT = (
    "The Wasserstein distance that the critic estimates is an effective metric to gauge training progress:"
    " its loss falls as the pictures get better (abstract, figure 2)."
)
PARTS = ("grid", "srez", "anchors")
_BLOCKS = "steps (moving blocks)"
_COURSES = {1: "rose", -1: "fell", 0: "neither rose nor fell throughout"}


@dataclass(frozen=True)
class _Outcome:
    """The verdict on one run.

    Attributes:
        deciding: The correlations of the critic's loss in training with PSNR; None if there are too few.
        course: What that loss did over all steps.
    """

    run: RunRecord
    verdict: Verdict
    deciding: Correlations | None
    course: str
    findings: tuple[Finding, ...]


def judge_follows(cells: Sequence[Cell], thresholds: Follows) -> Claim:
    """Judges whether |W| falls when quality rises, run by run, and counts the Wasserstein runs where it does.

    A run is decided by Spearman's correlation of the *changes* from one evaluation to the next of |W| in
    training and PSNR: |W| does not follow if it is surely below `weak`, else does if it is surely above 0.
    The claim holds if the share of runs in which it does is surely above one half, and does not hold if that
    of the runs in which it does not is; undecided runs count for neither.
    """
    own = in_parts(cells, *PARTS)
    outcomes = [_judge_run(run, thresholds) for cell in own for run in cell.runs]
    wasserstein = [outcome for outcome in outcomes if outcome.run.objective in WASSERSTEIN]
    missing = sum(cell.missing for cell in own if cell.objective in WASSERSTEIN)
    holding, opposed = _count(wasserstein, Verdict.HOLDS), _count(wasserstein, Verdict.DOES_NOT_HOLD)
    share, most_follow = majority(holding, len(wasserstein), missing)
    _, most_do_not = majority(opposed, len(wasserstein), missing)
    verdict = decide(most_follow is Verdict.HOLDS, most_do_not is Verdict.HOLDS)
    whole = Finding(
        claim=KEY,
        subject="all Wasserstein runs",
        statistic="share of the runs in which |W| follows PSNR",
        estimate=share if wasserstein else None,
        interval="runs (Wilson)",
        threshold="above one half; does not hold if the share in which it does not is",
        verdict=verdict,
        sentence=f"|W| was seen to follow PSNR in {holding} of"
        f" {counted(len(wasserstein), 'Wasserstein run')}.",
    )
    of_runs = [finding for outcome in outcomes for finding in outcome.findings]
    findings = (whole, *missing_findings(KEY, own), *of_runs)
    return Claim(KEY, STATEMENT, verdict, _sentence(outcomes, wasserstein, share), findings)


def _judge_run(run: RunRecord, thresholds: Follows) -> _Outcome:
    pairs = pairs_of(run, thresholds.burn_in)
    correlations = [follows(pair.loss, pair.quality) for pair in pairs]
    findings: list[Finding] = []
    for place, (pair, of_pair) in enumerate(zip(pairs, correlations, strict=True)):
        findings += _findings_of_pair(run, pair, of_pair, thresholds, decides=place == 0)
    if not pairs:
        findings.append(
            Finding(
                claim=KEY,
                subject=subject_of(run),
                statistic="Spearman's correlation of changes",
                interval=_BLOCKS,
                sentence=f"Undecided: the run ended at step {run.step}, with too few evaluations after step"
                f" {thresholds.burn_in}.",
            )
        )
    course = course_of_loss(run, thresholds.burn_in)
    trend = mann_kendall(course)
    findings.append(_finding_of_trend(run, trend, sign_changes(course), len(course)))
    deciding = correlations[0] if pairs else None
    return _Outcome(run, findings[0].verdict, deciding, _COURSES[trend.direction], tuple(findings))


def _findings_of_pair(
    run: RunRecord, pair: Pair, found: Correlations, thresholds: Follows, decides: bool
) -> Iterator[Finding]:
    verdict = decide(found.differences.low > 0, found.differences.high < thresholds.weak)
    role = "decides the run" if decides else "told beside"
    finding = partial(Finding, claim=KEY, subject=subject_of(run), interval=_BLOCKS)
    yield finding(
        statistic=f"Spearman's correlation of changes: {pair.loss_name}, {pair.quality_name}",
        estimate=_known(found.differences),
        threshold=f"{role}; does not hold if surely below {thresholds.weak:g}, else holds if surely above 0",
        verdict=verdict,
        sentence=_sentence_of_changes(pair, found, verdict),
    )
    yield finding(
        statistic=f"Spearman's correlation of levels: {pair.loss_name}, {pair.quality_name}",
        estimate=_known(found.levels),
        threshold="none: levels; drift alone can do this",
        sentence=_sentence_of_levels(pair, found),
    )


def _sentence_of_changes(pair: Pair, found: Correlations, verdict: Verdict) -> str:
    if not math.isfinite(found.differences.value):
        return f"Undecided: {pair.loss_name} or {pair.quality_name} did not change between evaluations."
    figures = f"Spearman's correlation of changes {with_interval(found.differences)}"
    where = f"over {counted(len(pair.loss), 'evaluation')}"
    names = f"{pair.loss_name} and {pair.quality_name}"
    if verdict is Verdict.HOLDS:
        return f"{first_upper(pair.better)} went with better {pair.quality_name}: {figures} {where}."
    if found.differences.high < 0:
        return f"{first_upper(pair.better)} went with worse {pair.quality_name}: {figures} {where}."
    if verdict is Verdict.DOES_NOT_HOLD:
        return f"Changes of {names} had little or nothing to do with each other: {figures} {where}."
    return f"Whether changes of {names} go together cannot be told: {figures} {where}."


def _sentence_of_levels(pair: Pair, found: Correlations) -> str:
    if not math.isfinite(found.levels.value):
        return f"Undecided: {pair.loss_name} or {pair.quality_name} had one level throughout."
    return (
        f"Levels of {pair.loss_name} and {pair.quality_name}: correlation {with_interval(found.levels)},"
        f" signed so that + means that {pair.better} goes with better quality; drift alone can do this."
    )


def _known(estimate: Estimate) -> Estimate | None:
    return estimate if math.isfinite(estimate.value) else None


def _finding_of_trend(run: RunRecord, trend: Trend, turns: int, count: int) -> Finding:
    name = "|W|" if run.objective in WASSERSTEIN else "the critic loss"
    known = math.isfinite(trend.tau)
    return Finding(
        claim=KEY,
        subject=subject_of(run),
        statistic=f"Kendall's tau of 100-step means of {name} against time",
        estimate=Estimate(trend.tau) if known else None,
        sentence=f"After the burn-in the 100-step means of {name} {_COURSES[trend.direction]} (Mann-Kendall:"
        f" tau {trend.tau:z.2f}, p {trend.p_value:.2g}) and turned around at {turns} of {count - 2} places."
        if known
        else f"Undecided: the run is too short for a trend of {name}.",
    )


def _count(outcomes: Sequence[_Outcome], verdict: Verdict) -> int:
    return sum(outcome.verdict is verdict for outcome in outcomes)


def _sentence(outcomes: Sequence[_Outcome], wasserstein: Sequence[_Outcome], share: Estimate) -> str:
    if not wasserstein:
        return "No Wasserstein run is done."
    courses = [outcome.course for outcome in wasserstein]
    return (
        f"PSNR rose when |W| fell from one evaluation to the next in {_count(wasserstein, Verdict.HOLDS)} of"
        f" {counted(len(wasserstein), 'Wasserstein run')} (share {share.value:.2f}, interval {share.low:.2f}"
        f" to {share.high:.2f}), did not in {_count(wasserstein, Verdict.DOES_NOT_HOLD)}, and"
        f" {_count(wasserstein, Verdict.UNDECIDED)} are undecided: {_by_objective(outcomes)}; the median"
        f" correlation of changes is {_median(wasserstein, 'differences')}, that of levels, which drift alone"
        f" can make, {_median(wasserstein, 'levels')}; over all steps after the burn-in |W| fell in"
        f" {courses.count('fell')} and rose in {courses.count('rose')} of the runs."
    )


def _by_objective(outcomes: Sequence[_Outcome]) -> str:
    parts = []
    for objective, title in reversed(TITLES.items()):
        of_it = [outcome for outcome in outcomes if outcome.run.objective == objective]
        if of_it:
            name = title if objective in WASSERSTEIN else f"{title} (control, its critic loss)"
            parts.append(f"{name} {_count(of_it, Verdict.HOLDS)} of {len(of_it)}")
    return ", ".join(parts)


def _median(outcomes: Sequence[_Outcome], name: str) -> str:
    values = [getattr(outcome.deciding, name).value for outcome in outcomes if outcome.deciding]
    known = [value for value in values if math.isfinite(value)]
    return f"{statistics.median(known):z.2f}" if known else "unknown"
