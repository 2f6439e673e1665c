"""What a report is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from srcli.pictures.pixels import Pixels
from srcli.reproduction.cells import Cell
from srcli.reproduction.plan import Plan
from srcli.reproduction.records import Baselines
from srcli.reproduction.studies.study import Result
from srcli.reproduction.verdicts import Claim


@dataclass(frozen=True)
class Reproduction:
    """A campaign's plan, its runs so far and the verdicts on them.

    Attributes:
        cells: All cells of the plan.
        claims: Those that the runs are judged by.
        examples: By run, a PNG of the example faces as it enlarges them, 64x64 each, side by side; of a run
            from noise, some of its samples.
        faces: The example faces, (N, 64, 64, 3).
        studies: Results by study, one per seed.
        commit: Of the code that makes the report, where it is known.
    """

    plan: Plan
    cells: Sequence[Cell]
    claims: Sequence[Claim]
    baselines: Baselines
    examples: Mapping[str, bytes]
    faces: Pixels
    studies: Mapping[str, Sequence[Result]]
    commit: str | None = None

    @property
    def by_name(self) -> dict[str, Cell]:
        """The cells by name."""
        return {cell.name: cell for cell in self.cells}
