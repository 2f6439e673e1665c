"""The paper's claims, judged from the records of runs."""

from collections.abc import Sequence

from srcli.reproduction.cells import Cell
from srcli.reproduction.claims.batch_norm import judge_batch_norm
from srcli.reproduction.claims.bicubic import judge_bicubic
from srcli.reproduction.claims.collapse import judge_collapse
from srcli.reproduction.claims.follows import judge_follows
from srcli.reproduction.claims.gamma import judge_gamma
from srcli.reproduction.claims.stable import judge_stable
from srcli.reproduction.plan import Claims
from srcli.reproduction.records import Baselines
from srcli.reproduction.verdicts import Claim

__all__ = ["Claim", "judge"]


def judge(cells: Sequence[Cell], baselines: Baselines, claims: Claims) -> list[Claim]:
    """Judges each of the paper's claims by the runs done so far.

    Args:
        cells: All cells of the plan.
        baselines: As `finals.measure_baselines` makes them; may be empty while no run is done.
        claims: The thresholds.
    """
    return [
        judge_follows(cells, claims.follows),
        judge_stable(cells, baselines, claims.stable),
        judge_collapse(cells, claims.collapse, claims.stable.least_spread),
        judge_batch_norm(cells, claims.batch_norm),
        judge_gamma(cells, claims.follows.burn_in, claims.gamma),
        judge_bicubic(cells, baselines),
    ]
