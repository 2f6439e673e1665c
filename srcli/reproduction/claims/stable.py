"""Claim 2: training is stable whatever the architecture."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from srcli.reproduction.cells import Cell
from srcli.reproduction.claims.figures import KINDS, better_kind, in_parts, missing_findings, subject_of
from srcli.reproduction.claims.shares import (
    Tally,
    contrast,
    counts_by_objective,
    of_objectives,
    share_findings,
    tally,
    verdict_of,
)
from srcli.reproduction.intervals import faces_interval
from srcli.reproduction.plan import Stable
from srcli.reproduction.records import Baselines, RunRecord
from srcli.reproduction.series import mann_kendall
from srcli.reproduction.verdicts import Claim, Finding, Verdict, decide
from srcli.reproduction.wording import WASSERSTEIN, counted, listed, with_interval
from srcli.runs.status import RunStatus

KEY = "stable"
STATEMENT = (
    "Training with the Wasserstein distance is stable across architectures; with gradient penalty it"
    " converges (abstract, figure 3)."
)


def judge_stable(cells: Sequence[Cell], baselines: Baselines, thresholds: Stable) -> Claim:
    """Judges each run by fixed thresholds, and counts the stable ones by cell and objective.

    A run is stable if it has finished with a PSNR not too far below nearest-neighbour enlargement, enough
    spread and few duplicates, all with the kind of batch statistics that gives the better PSNR. The claim is
    about the Wasserstein cells of the grid: see `verdict_of`. GAN cells with as many critic updates are
    reported too.
    """
    grid, equalised = in_parts(cells, "grid"), in_parts(cells, "equalised")
    of_runs = {
        cell.name: [_judge_run(run, baselines, thresholds) for run in cell.runs] for cell in grid + equalised
    }
    tallies, with_more_updates = (
        [tally(cell, of_runs[cell.name]) for cell in part] for part in (grid, equalised)
    )
    against_gan = contrast(KEY, tallies, "stable")
    findings = [
        *([against_gan] if against_gan else []),
        *share_findings(KEY, tallies, "stable"),
        *missing_findings(KEY, grid + equalised),
        *(finding for of_cell in of_runs.values() for finding in of_cell),
    ]
    rising = [_rise_at_the_end(run) is not None for cell in grid for run in cell.runs]
    sentence = _sentence(tallies, with_more_updates, rising, against_gan)
    verdict = verdict_of(of_objectives(tallies, *WASSERSTEIN))
    return Claim(KEY, STATEMENT, verdict, sentence, tuple(findings))


def _judge_run(run: RunRecord, baselines: Baselines, thresholds: Stable) -> Finding:
    lowest = float(np.mean(baselines["nearest"]["psnr"])) - thresholds.below_nearest
    finding = partial(
        Finding,
        claim=KEY,
        subject=subject_of(run),
        threshold=f"PSNR at least {lowest:.2f} dB (nearest neighbour's - {thresholds.below_nearest:g}),"
        f" spread at least {thresholds.least_spread:g}, duplicates at most {thresholds.most_duplicates:g}",
    )
    if run.status != RunStatus.FINISHED:
        sentence = f"Failed by step {run.step}: it diverged ({run.reason})."
        return finding(statistic="PSNR, dB", verdict=Verdict.DOES_NOT_HOLD, sentence=sentence)
    kind = better_kind(run)
    faults = _faults(run, kind, lowest, thresholds)
    return finding(
        statistic=f"PSNR, dB, {kind} statistics",
        estimate=faces_interval([run.faces[f"psnr_{kind}"]]),
        interval="faces",
        verdict=decide(not faults, bool(faults)),
        sentence=_sentence_of_run(run, kind, faults),
    )


def _faults(run: RunRecord, kind: str, lowest: float, thresholds: Stable) -> list[str]:
    psnr, spread, duplicates = (run.figures[f"{name}_{kind}"] for name in ("psnr", "spread", "duplicates"))
    rules = {
        f"a PSNR below {lowest:.2f} dB": psnr >= lowest,
        f"a spread below {thresholds.least_spread:g}": spread >= thresholds.least_spread,
        f"duplicates above {thresholds.most_duplicates:g}": duplicates <= thresholds.most_duplicates,
    }
    return [fault for fault, is_kept in rules.items() if not is_kept]


def _rise_at_the_end(run: RunRecord) -> float | None:
    """Kendall's tau of a finished run's PSNR in the last third; None if it did not rise."""
    if run.status != RunStatus.FINISHED or "psnr" not in run.evaluations:
        return None
    values = run.evaluations.get(f"psnr_{better_kind(run)}", run.evaluations["psnr"])
    trend = mann_kendall(values[run.evaluations["step"] > run.step * 2 / 3])
    return trend.tau if trend.direction > 0 else None


def _sentence_of_run(run: RunRecord, kind: str, faults: Sequence[str]) -> str:
    tau = _rise_at_the_end(run)
    start = f"Failed by step {run.step} ({listed(faults)})" if faults else f"Stable up to step {run.step}"
    others = [other for other in KINDS if other != kind and f"psnr_{other}" in run.figures]
    beside = "".join(f" ({run.figures[f'psnr_{other}']:.2f} with {other} statistics)" for other in others)
    rise = "PSNR was not seen to rise any more" if tau is None else f"PSNR was still rising (tau {tau:.2f})"
    return (
        f"{start}: PSNR {run.figures[f'psnr_{kind}']:.2f} dB with {kind} statistics{beside}, spread"
        f" {run.figures[f'spread_{kind}']:.2f}, duplicates {run.figures[f'duplicates_{kind}']:.2f}; in the"
        f" last third {rise}."
    )


def _sentence(
    tallies: Sequence[Tally],
    with_more_updates: Sequence[Tally],
    rising: Sequence[bool],
    against_gan: Finding | None,
) -> str:
    if not any(one.done for one in tallies):
        return "No run is done."
    wasserstein = of_objectives(tallies, *WASSERSTEIN)
    none = [one.name for one in wasserstein if one.verdict is Verdict.DOES_NOT_HOLD]
    parts = [
        f"Stable at the end were {counts_by_objective(tallies)} runs, and most runs in"
        f" {sum(one.mostly_good for one in wasserstein)} of {counted(len(wasserstein), 'Wasserstein cell')}"
        + (f", but none in {listed(none)}" if none else "")
    ]
    if against_gan and against_gan.estimate:
        parts.append(f"the Wasserstein share minus the GAN's is {with_interval(against_gan.estimate)}")
    if any(one.done for one in with_more_updates):
        parts.append(f"with as many critic updates {counts_by_objective(with_more_updates)} were")
    parts.append(f"PSNR was still rising in the last third of {sum(rising)} of {counted(len(rising), 'run')}")
    return "; ".join(parts) + "."
