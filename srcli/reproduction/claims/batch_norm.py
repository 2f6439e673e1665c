"""Claim 4: batch normalisation is not needed under the Wasserstein objectives."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from srcli.reproduction.cells import Cell
from srcli.reproduction.claims.figures import (
    Values,
    difference_of,
    faces_by_seed,
    if_complete,
    in_parts,
    missing_findings,
    without_diverged,
)
from srcli.reproduction.intervals import paired_differences
from srcli.reproduction.plan import BatchNorm
from srcli.reproduction.verdicts import Claim, Finding, all_of, decide, surely_above
from srcli.reproduction.wording import TITLES, WASSERSTEIN, listed, with_interval

KEY = "batch_norm"
STATEMENT = (
    "With the Wasserstein distance a ResNet trains as well without batch normalisation (figure 3, h to j)."
)
WITHOUT = "-nobn"


def judge_batch_norm(cells: Sequence[Cell], thresholds: BatchNorm) -> Claim:
    """Judges how much PSNR a cell loses without batch norm, on the same faces and with the same seeds.

    The claim holds if it does for both Wasserstein objectives, and does not if it does not for one of them.
    """
    grid = {cell.name: cell for cell in in_parts(cells, "grid")}
    bases = {name: name.replace(WITHOUT, "") for name in grid if WITHOUT in name}
    pairs = [(grid[name], grid[base]) for name, base in bases.items() if base in grid]
    found = {without.objective: _compare(without, base, thresholds) for without, base in pairs}
    verdict = all_of(finding.verdict for objective, finding in found.items() if objective in WASSERSTEIN)
    findings = (*found.values(), *missing_findings(KEY, [cell for pair in pairs for cell in pair]))
    return Claim(KEY, STATEMENT, verdict, _sentence(found), findings)


def _compare(without: Cell, base: Cell, thresholds: BatchNorm) -> Finding:
    ours, theirs = faces_by_seed(without, "psnr"), faces_by_seed(base, "psnr")
    seeds = sorted(set(ours) & set(theirs))
    never = without.diverged == len(without.seeds) and len(base.finished) == len(base.seeds)
    finding = partial(
        Finding,
        claim=KEY,
        subject=f"{without.name} against {base.name}",
        statistic="PSNR, difference of without to with batch normalisation, dB",
        threshold=f"above -{thresholds.most_loss:g} dB",
    )
    ending = f"{without_diverged([without, base])}."
    if not seeds:
        sentence = f"No seed has finished both with and without batch normalisation{ending}"
        return finding(verdict=decide(False, never), sentence=sentence)
    difference = difference_of([paired_differences([ours[seed]], theirs[seed])[0] for seed in seeds])
    return finding(
        estimate=difference.estimate,
        interval=difference.interval,
        verdict=if_complete(surely_above(difference.estimate, -thresholds.most_loss), [without, base]),
        sentence=f"PSNR is {_mean(ours, seeds):.2f} dB without batch normalisation and"
        f" {_mean(theirs, seeds):.2f} dB with it, each with its better kind of statistics: difference"
        f" {difference.in_words(2, 'dB')}{ending}",
    )


def _mean(values: Mapping[int, Values], seeds: Sequence[int]) -> float:
    return float(np.mean([values[seed].mean() for seed in seeds]))


def _sentence(found: Mapping[str, Finding]) -> str:
    differences = [
        f"{with_interval(finding.estimate, 2, 'dB')} for {TITLES[objective]}"
        for objective, finding in found.items()
        if finding.estimate
    ]
    if not differences:
        return "No pair of runs with and without batch normalisation is done."
    return f"Without batch normalisation PSNR differs by {listed(differences)}, over seeds and faces."
