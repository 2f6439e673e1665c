"""The cells of a plan and their runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from srcli.experiment.schema import Experiment
from srcli.reproduction.plan import PlannedRun
from srcli.reproduction.records import RunRecord
from srcli.runs.status import RunStatus

MISSING = "not run yet"
STATES: Sequence[str] = (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.DIVERGED, MISSING)


@dataclass(frozen=True)
class Cell:
    """The runs of one preset in one part of the plan.

    Attributes:
        name: The preset, with the part's suffix.
        experiment: That of the first seed.
        seeds: All planned seeds, ascending.
        records: Of the runs made so far, by ascending seed.
    """

    name: str
    part: str
    figures: str
    experiment: Experiment
    seeds: tuple[int, ...]
    records: tuple[RunRecord, ...]

    @property
    def objective(self) -> str:
        """`gan`, `wgan` or `wgan-gp`."""
        return self.experiment.objective.name

    @property
    def runs(self) -> tuple[RunRecord, ...]:
        """The runs that have a result: finished or diverged. Failed runs are tried again."""
        return tuple(record for record in self.records if record.status != RunStatus.FAILED)

    @property
    def finished(self) -> tuple[RunRecord, ...]:
        """The runs that reached their last step."""
        return tuple(record for record in self.records if record.status == RunStatus.FINISHED)

    @property
    def diverged(self) -> int:
        """How many runs diverged."""
        return len(self.runs) - len(self.finished)

    @property
    def missing(self) -> int:
        """How many planned runs have no result."""
        return len(self.seeds) - len(self.runs)

    def seeds_by_state(self) -> dict[str, list[int]]:
        """The seeds in each state that occurs, in the order of `STATES`."""
        made = {record.seed: record.status for record in self.records}
        states = {seed: made.get(seed, MISSING) for seed in self.seeds}
        found = {state: [seed for seed in self.seeds if states[seed] == state] for state in STATES}
        return {state: seeds for state, seeds in found.items() if seeds}


def cells_of(runs: Sequence[PlannedRun], records: Sequence[RunRecord]) -> list[Cell]:
    """All cells in the plan's order; records of runs that are not planned are left out."""
    by_name = {record.name: record for record in records}
    by_cell: dict[str, list[PlannedRun]] = {}
    for run in sorted(runs, key=lambda run: run.seed):
        by_cell.setdefault(run.cell, []).append(run)
    cells = []
    for name in dict.fromkeys(run.cell for run in runs):
        own = by_cell[name]
        made = tuple(by_name[run.name] for run in own if run.name in by_name)
        seeds = tuple(run.seed for run in own)
        cells.append(Cell(name, own[0].part, own[0].figures, own[0].experiment, seeds, made))
    return cells
