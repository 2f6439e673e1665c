"""Claim 5: WGAN depends less on gamma than GAN does."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from srcli.reproduction.cells import Cell
from srcli.reproduction.claims.figures import (
    difference_of,
    faces_by_seed,
    if_complete,
    in_parts,
    missing_findings,
    without_diverged,
)
from srcli.reproduction.plan import Gamma
from srcli.reproduction.records import RunRecord
from srcli.reproduction.verdicts import Claim, Estimate, Finding, Verdict, decide, surely_above
from srcli.reproduction.wording import TITLES, listed, with_interval

KEY = "gamma"
STATEMENT = (
    "WGAN is less sensitive than GAN to gamma, the weight of the L1 term: its colours shift less when gamma"
    " is small (figure 4)."
)
NO_L1, HALF, USUAL = 0.0, 0.5, 0.9

ByGamma = Mapping[float, Cell]


def judge_gamma(cells: Sequence[Cell], burn_in: int, thresholds: Gamma) -> Claim:
    """Judges whether colours shift more under GAN than under WGAN when the L1 term is taken away.

    The figure is the shift at gamma 0 minus that at gamma 0.9, GAN's minus WGAN's. If the adversary of either
    has next to no share in the gradient at gamma 0.9, that cell says little of the objective, and the
    difference of the shifts at gamma 0 decides alone.
    """
    varied = in_parts(cells, "gamma")
    bases = {cell.name.rsplit("-gamma", 1)[0] for cell in varied}
    own = [*varied, *(cell for cell in in_parts(cells, "grid") if cell.name in bases)]
    gan, wgan = (_by_gamma(own, objective) for objective in ("gan", "wgan"))
    of_gammas = [(gamma, of_it[gamma]) for of_it in (gan, wgan) for gamma in (HALF, USUAL) if gamma in of_it]
    shares = [_share(cell, gamma, burn_in, thresholds) for gamma, cell in of_gammas]
    present = all(
        share.verdict is not Verdict.DOES_NOT_HOLD
        for (gamma, _), share in zip(of_gammas, shares, strict=True)
        if gamma == USUAL
    )
    increase = _combined(
        "increase from gamma 0.9 to 0, GAN's minus WGAN's",
        ((gan, NO_L1, 1), (gan, USUAL, -1), (wgan, NO_L1, -1), (wgan, USUAL, 1)),
        decides=present,
    )
    without_l1 = _combined(
        "at gamma 0, GAN's minus WGAN's", ((gan, NO_L1, 1), (wgan, NO_L1, -1)), decides=not present
    )
    shifts = [_shift(cell, gamma) for of_it in (gan, wgan) for gamma, cell in sorted(of_it.items())]
    return Claim(
        KEY,
        STATEMENT,
        increase.verdict if present else without_l1.verdict,
        _sentence(increase, without_l1, shares, present, thresholds),
        (increase, without_l1, *shares, *shifts, *missing_findings(KEY, own)),
    )


def _by_gamma(cells: Sequence[Cell], objective: str) -> dict[float, Cell]:
    """The cells of an objective that have runs, by their gamma."""
    own = [cell for cell in cells if cell.objective == objective and cell.runs]
    return {cell.experiment.objective.gamma: cell for cell in own}


def _combined(what: str, terms: Sequence[tuple[ByGamma, float, int]], decides: bool) -> Finding:
    """A signed sum of the colour shifts of some cells, face by face, over the seeds that all of them have.

    Args:
        terms: Cells of an objective, which of them by gamma, and the sign of its shift.
    """
    cells = [of_it[gamma] for of_it, gamma, _ in terms if gamma in of_it]
    finding = partial(
        Finding,
        claim=KEY,
        subject="GAN against WGAN",
        statistic=f"colour shift, {what}",
        threshold=f"above 0; {'decides' if decides else 'told beside'}",
    )
    shifts = [faces_by_seed(cell, "colour") for cell in cells]
    seeds = sorted(set.intersection(*map(set, shifts))) if len(cells) == len(terms) else []
    if not seeds:
        return finding(sentence=f"Undecided: no seed is done in all {len(terms)} cells.")
    signs = [sign for *_, sign in terms]
    signed = [[sign * of_cell[seed] for sign, of_cell in zip(signs, shifts, strict=True)] for seed in seeds]
    difference = difference_of([np.sum(of_seed, axis=0) for of_seed in signed])
    return finding(
        estimate=difference.estimate,
        interval=difference.interval,
        verdict=if_complete(surely_above(difference.estimate, 0), cells),
        sentence=f"Colour shift, {what}: {difference.in_words(4)}{without_diverged(cells)}.",
    )


def _shift(cell: Cell, gamma: float) -> Finding:
    values = list(faces_by_seed(cell, "colour").values())
    shift = difference_of(values) if values else None
    title = f"{TITLES[cell.objective]} at gamma {gamma:g}"
    sentence = (
        f"Colours of {title} are off by {shift.in_words(4)}" if shift else f"No run of {title} has finished"
    )
    return Finding(
        claim=KEY,
        subject=cell.name,
        statistic="colour shift, mean absolute difference of mean colours in [0, 1]",
        estimate=shift.estimate if shift else None,
        interval=shift.interval if shift else "",
        sentence=f"{sentence}{without_diverged([cell])}.",
    )


def _share(cell: Cell, gamma: float, burn_in: int, thresholds: Gamma) -> Finding:
    """The adversary's share in the gradient of a cell: the median of its evaluations after the burn-in."""
    medians = [_median_share(run, burn_in) for run in cell.runs]
    known = [median for median in medians if np.isfinite(median)]
    value = float(np.median(known)) if known else float("nan")
    title = f"{TITLES[cell.objective]} at gamma {gamma:g}"
    ending = ", as good as absent" if value < thresholds.present else ""
    spread = f" ({min(known):.2g} to {max(known):.2g} between seeds)" if len(known) > 1 else ""
    return Finding(
        claim=KEY,
        subject=cell.name,
        statistic="adversary's share: norm of its gradient over that of L1, median after the burn-in",
        estimate=Estimate(value) if known else None,
        threshold=f"at least {thresholds.present:g}, or the cell says little of the objective",
        verdict=decide(value >= thresholds.present, value < thresholds.present),
        sentence=f"The adversary's gradient in {title} is {value:.2g} times that of L1{spread}{ending}."
        if known
        else f"The adversary's share in {title} was not evaluated.",
    )


def _median_share(run: RunRecord, burn_in: int) -> float:
    if "adversary_share" not in run.evaluations:
        return float("nan")
    shares = run.evaluations["adversary_share"][run.evaluations["step"] > burn_in]
    shares = shares[np.isfinite(shares)]
    return float(np.median(shares)) if len(shares) else float("nan")


def _sentence(
    increase: Finding, without_l1: Finding, shares: Sequence[Finding], present: bool, thresholds: Gamma
) -> str:
    if increase.estimate is None or without_l1.estimate is None:
        return "Not all cells of figure 4 have a run."
    text = (
        f"From gamma 0.9 to 0 the colour shift of GAN grows by {with_interval(increase.estimate, 4)} more"
        f" than that of WGAN, and at gamma 0 it is larger by {with_interval(without_l1.estimate, 4)}"
    )
    absent = [finding for finding in shares if finding.verdict is Verdict.DOES_NOT_HOLD]
    if not absent:
        return f"{text}."
    shown = [f"{finding.estimate.value:.2g} in {finding.subject}" for finding in absent if finding.estimate]
    return (
        f"{text}; the adversary's share in the gradient is below {thresholds.present:g}, as good as absent"
        f' ({listed(shown)}), so that "robust" says little there{"" if present else " and gamma 0 decides"}.'
    )
