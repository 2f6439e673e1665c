"""Claim 4: batch normalisation is not needed under the Wasserstein objectives."""

from collections.abc import Sequence

import numpy as np

from srcli.reproduction.claims.cells import (
    WASSERSTEIN,
    Cell,
    faces_by_seed,
    in_parts,
    missing_findings,
)
from srcli.reproduction.claims.claim import all_of, surely_above
from srcli.reproduction.claims.paired import difference_of, left_out, settled
from srcli.reproduction.claims.wording import TITLES, listed, with_interval
from srcli.reproduction.intervals import paired_differences
from srcli.reproduction.plan import BatchNorm
from srcli.reproduction.verdicts import Claim, Finding, Verdict

KEY = "batch_norm"
STATEMENT = (
    "With the Wasserstein distance a ResNet trains as well without batch normalisation (figure 3, h to j)."
)
WITHOUT = "-nobn"


def judge_batch_norm(cells: Sequence[Cell], thresholds: BatchNorm) -> Claim:
    """Judges what PSNR a cell loses without batch norm, on the same faces and with the same seeds.

    The claim holds where it does for both Wasserstein objectives, and does not where it does not for one of
    them.
    """
    grid = {cell.name: cell for cell in in_parts(cells, ("grid",))}
    pairs = [
        (cell, grid[name.replace(WITHOUT, "")])
        for name, cell in grid.items()
        if WITHOUT in name and name.replace(WITHOUT, "") in grid
    ]
    found = {without.objective: _compare(without, base, thresholds) for without, base in pairs}
    verdict = all_of(finding.verdict for objective, finding in found.items() if objective in WASSERSTEIN)
    concerned = [cell for pair in pairs for cell in pair]
    findings = (*found.values(), *missing_findings(KEY, concerned))
    return Claim(KEY, STATEMENT, verdict, _sentence(found), findings)


def _compare(without: Cell, base: Cell, thresholds: BatchNorm) -> Finding:
    ours, theirs = faces_by_seed(without, "psnr"), faces_by_seed(base, "psnr")
    seeds = sorted(set(ours) & set(theirs))
    difference = difference_of([paired_differences([ours[seed]], theirs[seed])[0] for seed in seeds])
    if difference is None:
        verdict = Verdict.UNDECIDED
        sentence = "No seed has finished both with and without batch normalisation"
    else:
        verdict = settled(surely_above(difference.estimate, -thresholds.most_loss), [without, base])
        sentence = (
            f"PSNR is {_mean(ours, seeds):.2f} dB without batch normalisation and"
            f" {_mean(theirs, seeds):.2f} dB with"
            f" it, each with its better kind of statistics: difference {difference.told(2, 'dB')}"
        )
    if without.diverged and without.diverged == without.planned and len(base.finished) == base.planned:
        verdict = Verdict.DOES_NOT_HOLD
    return Finding(
        KEY,
        f"{without.name} against {base.name}",
        "PSNR, difference of without to with batch normalisation, dB",
        difference.estimate if difference else None,
        difference.interval if difference else "",
        f"above -{thresholds.most_loss:g} dB",
        verdict,
        f"{sentence}{left_out([without, base])}.",
    )


def _mean(values: dict[int, np.ndarray], seeds: Sequence[int]) -> float:
    return float(np.mean([values[seed].mean() for seed in seeds]))


def _sentence(found: dict[str, Finding]) -> str:
    estimates = {TITLES[objective]: finding.estimate for objective, finding in found.items()}
    told = [
        f"{with_interval(estimate, 2, 'dB')} for {title}" for title, estimate in estimates.items() if estimate
    ]
    if not told:
        return "No pair of runs with and without batch normalisation is done."
    return f"Without batch normalisation PSNR differs by {listed(told)}, over seeds and faces."
