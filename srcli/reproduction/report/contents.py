"""What a report is made from: a campaign's plan, the runs that are there, and what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from srcli.experiment.schema import Experiment
from srcli.pictures.pixels import Pixels
from srcli.reproduction.plan import Plan, PlannedRun
from srcli.reproduction.records import RunRecord
from srcli.reproduction.studies.study import Result
from srcli.reproduction.verdicts import Claim
from srcli.runs.status import RunStatus

MISSING = "not run yet"
STATES: Sequence[str] = (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.DIVERGED, MISSING)


@dataclass(frozen=True)
class Reproduction:
    """All that is known of a campaign.

    Attributes:
        runs: All runs of the plan, done or not.
        records: Of the runs that are done.
        baselines: Figures of each test face, by enlarger (`nearest`, `bicubic`, `bicubic_tensorflow1`) and
            name.
        examples: By run, a PNG of the example faces as it enlarges them, 64x64 each, side by side; of a run
            from noise, some of its samples.
        example_inputs: The example faces as networks get them, (N, 16, 16, 3).
        example_labels: The example faces themselves, (N, 64, 64, 3).
        studies: By name, the results of a study, by seed.
        commit: Of the code that made the report, where it is known.
    """

    plan: Plan
    runs: list[PlannedRun]
    records: list[RunRecord]
    claims: list[Claim]
    baselines: Mapping[str, Mapping[str, NDArray[Any]]]
    examples: Mapping[str, bytes]
    example_inputs: Pixels | None
    example_labels: Pixels | None
    studies: Mapping[str, Sequence[Result]]
    commit: str | None = None


@dataclass(frozen=True)
class Cell:
    """The runs of one preset as a part of the plan runs it.

    Attributes:
        name: The preset, with the part's suffix.
        figures: Of the paper, to which it belongs.
        experiment: That of its first seed.
        seeds: All that are planned, ascending.
        records: Of the seeds that are done, ascending.
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
    def takes_noise(self) -> bool:
        """Whether it draws faces from noise."""
        return self.experiment.sizes.takes_noise

    @property
    def finished(self) -> tuple[RunRecord, ...]:
        """The runs that came to their end."""
        return tuple(record for record in self.records if record.status == RunStatus.FINISHED)

    def seeds_by_state(self) -> dict[str, list[int]]:
        """The seeds in each state that occurs, in the order of `STATES`."""
        done = {record.seed: record.status for record in self.records}
        states = {seed: done.get(seed, MISSING) for seed in self.seeds}
        found = {state: [seed for seed in self.seeds if states[seed] == state] for state in STATES}
        return {state: seeds for state, seeds in found.items() if seeds}


def cells_of(reproduction: Reproduction) -> dict[str, Cell]:
    """All cells of the plan by name, in the plan's order."""
    by_name = {record.name: record for record in reproduction.records}
    runs: dict[str, list[PlannedRun]] = {}
    for run in reproduction.runs:
        runs.setdefault(run.cell, []).append(run)
    cells = {}
    for name, own in runs.items():
        own.sort(key=lambda run: run.seed)
        records = tuple(by_name[run.name] for run in own if run.name in by_name)
        seeds = tuple(run.seed for run in own)
        cells[name] = Cell(name, own[0].part, own[0].figures, own[0].experiment, seeds, records)
    return cells
