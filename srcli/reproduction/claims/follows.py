"""Claim 1: the critic's loss follows quality."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from srcli.reproduction.claims.cells import (
    WASSERSTEIN,
    Cell,
    in_parts,
    missing_findings,
    subject_of,
)
from srcli.reproduction.claims.claim import NO_THRESHOLD, alone, decide, majority
from srcli.reproduction.claims.curves import Pair, course_of_loss, pairs_of
from srcli.reproduction.claims.wording import TITLES, counted, first_upper, with_interval
from srcli.reproduction.plan import Follows
from srcli.reproduction.records import RunRecord
from srcli.reproduction.series import Correlations, SignChanges, Trend, follows, mann_kendall, sign_changes
from srcli.reproduction.verdicts import Claim, Estimate, Finding, Verdict

KEY = "follows"
STATEMENT = (
    "The Wasserstein distance that the critic estimates is an effective metric to gauge training progress:"
    " its loss falls as the pictures get better (abstract, figure 2)."
)
PARTS = ("grid", "srez", "anchors")
SIGNIFICANT = 0.05
_BLOCKS = "steps (moving blocks)"


@dataclass(frozen=True)
class _Outcome:
    """What became of one run.

    Attributes:
        deciding: The correlations of the critic's loss in training with PSNR; None where neither is logged.
        trend: Of the size of that loss.
    """

    run: RunRecord
    verdict: Verdict
    deciding: Correlations | None
    trend: Trend
    findings: tuple[Finding, ...]


def judge_follows(cells: Sequence[Cell], thresholds: Follows) -> Claim:
    """Judges whether |W| falls when quality rises, run by run, and counts the Wasserstein runs where it does.

    A run is decided by Spearman's correlation of the *changes* from one evaluation to the next of |W| in
    training and PSNR: |W| does not follow where it is surely below `weak`, else does where it is surely above
    0. The claim holds where the share of runs in which it does is surely above one half, and does not hold
    where that of the runs in which it does not is; undecided runs count for neither.
    """
    own = in_parts(cells, PARTS)
    outcomes = [_judge_run(run, thresholds) for cell in own for run in cell.runs]
    wasserstein = [cell for cell in own if cell.objective in WASSERSTEIN]
    of_them = [outcome for outcome in outcomes if outcome.run.objective in WASSERSTEIN]
    holding = _count(of_them, Verdict.HOLDS)
    missing, opposed = sum(cell.missing for cell in wasserstein), _count(of_them, Verdict.DOES_NOT_HOLD)
    share, most_follow = majority(holding, len(of_them), missing)
    _, most_do_not = majority(opposed, len(of_them), missing)
    verdict = decide(most_follow is Verdict.HOLDS, most_do_not is Verdict.HOLDS)
    whole = Finding(
        KEY,
        "all Wasserstein runs",
        "share of the runs in which |W| follows PSNR",
        share if of_them else None,
        "runs (Wilson)",
        "above one half; does not hold if the share in which it does not is",
        verdict,
        f"|W| was seen to follow PSNR in {holding} of {counted(len(of_them), 'Wasserstein run')}.",
    )
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    return Claim(
        KEY, STATEMENT, verdict, _sentence(outcomes), (whole, *missing_findings(KEY, own), *findings)
    )


def _judge_run(run: RunRecord, thresholds: Follows) -> _Outcome:
    pairs = pairs_of(run, thresholds.burn_in)
    correlations = [follows(pair.loss, pair.quality) for pair in pairs]
    findings: list[Finding] = []
    for place, (pair, of_pair) in enumerate(zip(pairs, correlations, strict=True)):
        findings += _findings_of_pair(run, pair, of_pair, thresholds, decides=place == 0)
    if not pairs:
        findings.append(_finding_of_few(run, thresholds.burn_in))
    course = course_of_loss(run, thresholds.burn_in)
    trend, turns = mann_kendall(course), sign_changes(course)
    findings.append(_finding_of_trend(run, trend, turns, len(course)))
    return _Outcome(run, findings[0].verdict, correlations[0] if pairs else None, trend, tuple(findings))


def _findings_of_pair(
    run: RunRecord, pair: Pair, found: Correlations, thresholds: Follows, decides: bool
) -> Iterator[Finding]:
    verdict = decide(found.differences.low > 0, found.differences.high < thresholds.weak)
    role = "decides the run" if decides else "told beside"
    yield Finding(
        KEY,
        subject_of(run),
        f"Spearman's correlation of changes: {pair.loss_name}, {pair.quality_name}",
        _known(found.differences),
        _BLOCKS,
        f"{role}; does not hold if surely below {thresholds.weak:g}, else holds if surely above 0",
        verdict,
        _sentence_of_changes(pair, found, verdict),
    )
    yield Finding(
        KEY,
        subject_of(run),
        f"Spearman's correlation of levels: {pair.loss_name}, {pair.quality_name}",
        _known(found.levels),
        _BLOCKS,
        "none: levels; drift alone can do this",
        Verdict.UNDECIDED,
        _sentence_of_levels(pair, found),
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
        f" signed"
        f" so that + means that {pair.better} goes with better quality; drift alone can do this."
    )


def _known(estimate: Estimate) -> Estimate | None:
    return estimate if math.isfinite(estimate.value) else None


def _finding_of_few(run: RunRecord, burn_in: int) -> Finding:
    sentence = f"Undecided: the run ended at step {run.step}, with too few evaluations after step {burn_in}."
    statistic = "Spearman's correlation of changes"
    return Finding(KEY, subject_of(run), statistic, None, _BLOCKS, NO_THRESHOLD, Verdict.UNDECIDED, sentence)


def _finding_of_trend(run: RunRecord, trend: Trend, turns: SignChanges, count: int) -> Finding:
    name = "|W|" if run.objective in WASSERSTEIN else "the critic loss"
    told = math.isfinite(trend.tau)
    return Finding(
        KEY,
        subject_of(run),
        f"Kendall's tau of 100-step means of {name} against time",
        alone(trend.tau) if told else None,
        "",
        NO_THRESHOLD,
        Verdict.UNDECIDED,
        f"After the burn-in the 100-step means of {name} {_course(trend)} (Mann-Kendall: tau"
        f" {trend.tau:z.2f},"
        f" p {trend.p_value:.2g}) and turned around at {turns.changes} of {count - 2} places."
        if told
        else f"Undecided: the run is too short for a trend of {name}.",
    )


def _course(trend: Trend) -> str:
    if not trend.p_value < SIGNIFICANT:
        return "neither rose nor fell throughout"
    return "rose" if trend.tau > 0 else "fell"


def _count(outcomes: Sequence[_Outcome], verdict: Verdict) -> int:
    return sum(outcome.verdict is verdict for outcome in outcomes)


def _sentence(outcomes: Sequence[_Outcome]) -> str:
    wasserstein = [outcome for outcome in outcomes if outcome.run.objective in WASSERSTEIN]
    if not wasserstein:
        return "No Wasserstein run is done."
    share, _ = majority(_count(wasserstein, Verdict.HOLDS), len(wasserstein), 0)
    courses = [_course(outcome.trend) for outcome in wasserstein]
    return (
        f"PSNR rose when |W| fell from one evaluation to the next in {_count(wasserstein, Verdict.HOLDS)} of"
        f" {counted(len(wasserstein), 'Wasserstein run')} (share {share.value:.2f}, interval"
        f" {share.low:.2f} to"
        f" {share.high:.2f}), did not in {_count(wasserstein, Verdict.DOES_NOT_HOLD)}, and"
        f" {_count(wasserstein, Verdict.UNDECIDED)} are undecided: {_by_objective(outcomes)}; the median"
        f" correlation of changes is {_median(wasserstein, 'differences')}, that of levels, which drift alone"
        f" can make, {_median(wasserstein, 'levels')}; over all steps after the burn-in |W| fell in"
        f" {courses.count('fell')} and rose in {courses.count('rose')} of the runs."
    )


def _by_objective(outcomes: Sequence[_Outcome]) -> str:
    told = []
    for objective, title in TITLES.items():
        of_it = [outcome for outcome in outcomes if outcome.run.objective == objective]
        if of_it:
            name = title if objective in WASSERSTEIN else f"{title} (control, its critic loss)"
            told.append(f"{name} {_count(of_it, Verdict.HOLDS)} of {len(of_it)}")
    return ", ".join(reversed(told))


def _median(outcomes: Sequence[_Outcome], name: str) -> str:
    found = [outcome.deciding for outcome in outcomes if outcome.deciding is not None]
    values = [getattr(one, name).value for one in found]
    known = [value for value in values if math.isfinite(value)]
    return f"{statistics.median(known):z.2f}" if known else "unknown"
