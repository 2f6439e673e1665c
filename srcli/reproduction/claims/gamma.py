"""Claim 5: WGAN depends less on gamma than GAN does."""

from collections.abc import Mapping, Sequence

import numpy as np

from srcli.reproduction.claims.cells import Cell, Values, faces_by_seed, in_parts, missing_findings
from srcli.reproduction.claims.claim import NO_THRESHOLD, alone, decide, surely_above
from srcli.reproduction.claims.paired import Difference, difference_of, left_out, settled
from srcli.reproduction.claims.wording import TITLES, listed, with_interval
from srcli.reproduction.plan import Gamma
from srcli.reproduction.records import RunRecord
from srcli.reproduction.verdicts import Claim, Finding, Verdict

KEY = "gamma"
STATEMENT = (
    "WGAN is less sensitive than GAN to gamma, the weight of the L1 term: its colours shift less when"
    " gamma is small"
    " (figure 4)."
)
OBJECTIVES = ("gan", "wgan")
NO_L1, HALF, USUAL = 0.0, 0.5, 0.9

ByGamma = Mapping[float, Cell]


def judge_gamma(cells: Sequence[Cell], burn_in: int, thresholds: Gamma) -> Claim:
    """Judges how much more the colours of the GAN's faces shift than the WGAN's when the L1 term is taken
    away.

    The figure is the shift at gamma 0 minus that at gamma 0.9, GAN's minus WGAN's. Where the adversary of
    either has next to no share in the gradient at gamma 0.9, that cell says little of the objective, and the
    difference of the shifts at gamma 0 decides alone.
    """
    varied = in_parts(cells, ("gamma",))
    bases = {cell.name.rsplit("-gamma", 1)[0] for cell in varied}
    own = [*varied, *(cell for cell in in_parts(cells, ("grid",)) if cell.name in bases)]
    by_objective = {objective: _by_gamma(own, objective) for objective in OBJECTIVES}
    findings = [
        *(_shift(cell, gamma) for of_it in by_objective.values() for gamma, cell in sorted(of_it.items())),
        *missing_findings(KEY, own),
    ]
    shares = {
        (objective, gamma): _share(of_it[gamma], gamma, burn_in, thresholds)
        for objective, of_it in by_objective.items()
        for gamma in (HALF, USUAL)
        if gamma in of_it
    }
    present = Verdict.DOES_NOT_HOLD not in [shares[key].verdict for key in shares if key[1] == USUAL]
    increase = _increase(by_objective["gan"], by_objective["wgan"], decides=present)
    without_l1 = _without_l1(by_objective["gan"], by_objective["wgan"], decides=not present)
    deciding = increase if present else without_l1
    return Claim(
        KEY,
        STATEMENT,
        deciding.verdict,
        _sentence(increase, without_l1, list(shares.values()), present, thresholds),
        (increase, without_l1, *shares.values(), *findings),
    )


def _by_gamma(cells: Sequence[Cell], objective: str) -> dict[float, Cell]:
    """The cells of an objective by their gamma; those without runs are left out."""
    own = [cell for cell in cells if cell.objective == objective and cell.runs]
    return {float(cell.runs[0].experiment["objective"]["gamma"]): cell for cell in own}


def _increase(gan: ByGamma, wgan: ByGamma, decides: bool) -> Finding:
    concerned = [of_it[gamma] for of_it in (gan, wgan) for gamma in (NO_L1, USUAL) if gamma in of_it]
    difference = None
    if len(concerned) == 4:
        shifts = [faces_by_seed(cell, "colour") for cell in concerned]
        difference = _combined(shifts, (1, -1, -1, 1))
    return _finding("increase from gamma 0.9 to 0, GAN's minus WGAN's", difference, concerned, 4, decides)


def _without_l1(gan: ByGamma, wgan: ByGamma, decides: bool) -> Finding:
    concerned = [of_it[NO_L1] for of_it in (gan, wgan) if NO_L1 in of_it]
    difference = None
    if len(concerned) == 2:
        difference = _combined([faces_by_seed(cell, "colour") for cell in concerned], (1, -1))
    return _finding("at gamma 0, GAN's minus WGAN's", difference, concerned, 2, decides)


def _combined(shifts: Sequence[Mapping[int, Values]], signs: Sequence[int]) -> Difference | None:
    """Sums and differences face by face, of the seeds that all cells have."""
    seeds = sorted(set.intersection(*(set(of_cell) for of_cell in shifts)))
    return difference_of(
        [
            np.sum([sign * of_cell[seed] for sign, of_cell in zip(signs, shifts, strict=True)], axis=0)
            for seed in seeds
        ]
    )


def _finding(
    what: str, difference: Difference | None, cells: Sequence[Cell], needed: int, decides: bool
) -> Finding:
    subject, statistic = "GAN against WGAN", f"colour shift, {what}"
    threshold = f"above 0; {'decides' if decides else 'told beside'}"
    if difference is None:
        sentence = f"Undecided: no seed is done in all {needed} cells."
        return Finding(KEY, subject, statistic, None, "", threshold, Verdict.UNDECIDED, sentence)
    verdict = settled(surely_above(difference.estimate, 0), cells)
    sentence = f"Colour shift, {what}: {difference.told(4)}{left_out(cells)}."
    return Finding(
        KEY, subject, statistic, difference.estimate, difference.interval, threshold, verdict, sentence
    )


def _shift(cell: Cell, gamma: float) -> Finding:
    shifts = difference_of(list(faces_by_seed(cell, "colour").values()))
    title = f"{TITLES[cell.objective]} at gamma {gamma:g}"
    sentence = (
        f"Colours of {title} are off by {shifts.told(4)}" if shifts else f"No run of {title} has finished"
    )
    return Finding(
        KEY,
        cell.name,
        "colour shift, mean absolute difference of mean colours in [0, 1]",
        shifts.estimate if shifts else None,
        shifts.interval if shifts else "",
        NO_THRESHOLD,
        Verdict.UNDECIDED,
        f"{sentence}{left_out([cell])}.",
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
        KEY,
        cell.name,
        "adversary's share: norm of its gradient over that of L1, median after the burn-in",
        alone(value) if known else None,
        "",
        f"at least {thresholds.present:g}, or the cell says little of the objective",
        decide(value >= thresholds.present, value < thresholds.present),
        f"The adversary's gradient in {title} is {value:.2g} times that of L1{spread}{ending}."
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
        f" than"
        f" that of WGAN, and at gamma 0 it is larger by {with_interval(without_l1.estimate, 4)}"
    )
    absent = [finding for finding in shares if finding.verdict is Verdict.DOES_NOT_HOLD]
    if not absent:
        return f"{text}."
    told = [f"{finding.estimate.value:.2g} in {finding.subject}" for finding in absent if finding.estimate]
    return (
        f"{text}; the adversary's share in the gradient is below {thresholds.present:g}, as good as absent"
        f' ({listed(told)}), so that "robust" says little there{"" if present else " and gamma 0 decides"}.'
    )
