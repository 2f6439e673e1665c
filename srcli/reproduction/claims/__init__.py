"""The paper's claims, judged from the records of runs."""

from collections.abc import Mapping, Sequence

from srcli.reproduction.claims.batch_norm import judge_batch_norm
from srcli.reproduction.claims.bicubic import judge_bicubic
from srcli.reproduction.claims.cells import Baselines, cells_of
from srcli.reproduction.claims.collapse import judge_collapse
from srcli.reproduction.claims.follows import judge_follows
from srcli.reproduction.claims.gamma import judge_gamma
from srcli.reproduction.claims.stable import judge_stable
from srcli.reproduction.plan import Claims
from srcli.reproduction.records import RunRecord
from srcli.reproduction.verdicts import Claim

__all__ = ["Claim", "judge"]


def judge(
    records: Sequence[RunRecord], baselines: Baselines, claims: Claims, planned: Mapping[str, int]
) -> list[Claim]:
    """What the records say of each of the paper's claims, whatever part of the runs is done.

    Args:
        records: At most one of each cell and seed.
        baselines: As `finals.measure_baselines` makes them; needed as soon as there is a record.
        claims: The thresholds.
        planned: How many seeds each cell of the plan has. The part and the objective of a cell without any
            record are read off its name.
    """
    cells = cells_of(records, planned)
    return [
        judge_follows(cells, claims.follows),
        judge_stable(cells, baselines, claims.stable),
        judge_collapse(cells, claims.collapse, claims.stable.least_spread),
        judge_batch_norm(cells, claims.batch_norm),
        judge_gamma(cells, claims.follows.burn_in, claims.gamma),
        judge_bicubic(cells, baselines),
    ]
