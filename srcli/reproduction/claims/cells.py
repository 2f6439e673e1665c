"""The runs of a campaign by cell, and the figures that claims take from them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srcli.reproduction.claims.claim import NO_THRESHOLD
from srcli.reproduction.records import RunRecord
from srcli.reproduction.verdicts import Finding, Verdict

Values = NDArray[np.float64]
Baselines = Mapping[str, Mapping[str, Values]]
"""Figures of each test face by enlarger ("nearest", "bicubic", "bicubic_tensorflow1") and name ("psnr")."""

WASSERSTEIN = ("wgan", "wgan-gp")
KINDS = ("running", "batch")


@dataclass(frozen=True)
class Cell:
    """The runs of one preset as a part of the plan runs it.

    Attributes:
        objective: `gan`, `wgan` or `wgan-gp`.
        runs: Those that are done, finished or diverged, by seed.
        planned: How many there will be.
    """

    name: str
    part: str
    objective: str
    runs: tuple[RunRecord, ...]
    planned: int

    @property
    def missing(self) -> int:
        """How many runs are not done."""
        return max(self.planned - len(self.runs), 0)

    @property
    def finished(self) -> tuple[RunRecord, ...]:
        """The runs that did not diverge."""
        return tuple(run for run in self.runs if run.status == "finished")

    @property
    def diverged(self) -> int:
        """How many runs diverged."""
        return len(self.runs) - len(self.finished)


def cells_of(records: Sequence[RunRecord], planned: Mapping[str, int]) -> list[Cell]:
    """All cells in the order of the plan, then those that only records have."""
    names = [*planned, *sorted({record.cell for record in records} - set(planned))]
    cells = []
    for name in names:
        runs = tuple(sorted((run for run in records if run.cell == name), key=lambda run: run.seed))
        part = runs[0].part if runs else _part_by_name(name)
        objective = runs[0].objective if runs else _objective_by_name(name)
        cells.append(Cell(name, part, objective, runs, planned.get(name, len(runs))))
    return cells


def in_parts(cells: Sequence[Cell], parts: Collection[str]) -> list[Cell]:
    """The cells of some parts of the plan."""
    return [cell for cell in cells if cell.part in parts]


def missing_findings(claim: str, cells: Sequence[Cell]) -> list[Finding]:
    """A finding for each cell of which not all planned runs are done."""
    return [
        Finding(
            claim,
            cell.name,
            "runs that are done",
            None,
            "",
            NO_THRESHOLD,
            Verdict.UNDECIDED,
            f"Undecided: {len(cell.runs)} of {cell.planned} runs are done.",
        )
        for cell in cells
        if cell.missing
    ]


def better_kind(run: RunRecord) -> str:
    """The kind of batch statistics, `running` or `batch`, with which a run enlarges faces better by PSNR."""
    kinds = [kind for kind in KINDS if f"psnr_{kind}" in run.figures]
    return max(kinds, key=lambda kind: np.nan_to_num(run.figures[f"psnr_{kind}"], nan=-np.inf))


def faces_by_seed(cell: Cell, figure: str) -> dict[int, Values]:
    """A figure of each test face (N,) by seed, each run with its better kind of batch statistics."""
    return {run.seed: run.faces[f"{figure}_{better_kind(run)}"] for run in cell.finished}


def subject_of(run: RunRecord) -> str:
    """A run as findings name it."""
    return f"{run.cell}, seed {run.seed}"


def _part_by_name(cell: str) -> str:
    """The part of a cell that has no run yet: presets and suffixes are named after what they are for."""
    if "-gamma" in cell:
        return "gamma"
    starts = {"noise-": "noise", "srez-": "srez"}
    ends = {"-full": "anchors", "-equalised": "equalised"}
    found = [part for start, part in starts.items() if cell.startswith(start)]
    found += [part for end, part in ends.items() if cell.endswith(end)]
    return found[0] if found else "grid"


def _objective_by_name(cell: str) -> str:
    words = cell.split("-")
    if "wgangp" in words:
        return "wgan-gp"
    return "wgan" if "wgan" in words else "gan"
