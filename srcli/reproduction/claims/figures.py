"""Figures that several claims take from the runs of a cell."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srcli.reproduction.cells import Cell
from srcli.reproduction.intervals import crossed_bootstrap, seeds_interval
from srcli.reproduction.records import RunRecord
from srcli.reproduction.verdicts import Estimate, Finding, Verdict
from srcli.reproduction.wording import counted, with_interval

Values = NDArray[np.float64]
KINDS = ("running", "batch")


def in_parts(cells: Sequence[Cell], *parts: str) -> list[Cell]:
    """The cells of some parts of the plan."""
    return [cell for cell in cells if cell.part in parts]


def missing_findings(claim: str, cells: Collection[Cell]) -> list[Finding]:
    """One finding that names the cells with runs missing; none where all runs are done."""
    names: dict[tuple[int, int], list[str]] = {}
    for cell in cells:
        if cell.missing:
            names.setdefault((len(cell.runs), len(cell.seeds)), []).append(cell.name)
    if not names:
        return []
    done, planned = sum(len(cell.runs) for cell in cells), sum(len(cell.seeds) for cell in cells)
    incomplete = [f"{some} of {all_} of {', '.join(of)}" for (some, all_), of in names.items()]
    sentence = f"Undecided: {done} of {planned} runs are done; incomplete: {'; '.join(incomplete)}."
    return [Finding(claim=claim, subject="all cells", statistic="runs that are done", sentence=sentence)]


def better_kind(run: RunRecord) -> str:
    """The kind of batch statistics, `running` or `batch`, that gives the higher PSNR."""
    kinds = [kind for kind in KINDS if f"psnr_{kind}" in run.figures]
    return max(kinds, key=lambda kind: np.nan_to_num(run.figures[f"psnr_{kind}"], nan=-np.inf))


def faces_by_seed(cell: Cell, figure: str) -> dict[int, Values]:
    """A figure of each test face (N,) by seed, each run with its better kind of batch statistics."""
    return {run.seed: run.faces[f"{figure}_{better_kind(run)}"] for run in cell.finished}


def subject_of(run: RunRecord) -> str:
    """A run as findings name it."""
    return f"{run.cell}, seed {run.seed}"


@dataclass(frozen=True)
class Difference:
    """A mean difference on the same faces.

    Attributes:
        estimate: With the interval that decides: over seeds and faces, or over faces alone for one seed.
        over_seeds: With Student's interval over seeds alone, which is wide for few seeds.
    """

    estimate: Estimate
    over_seeds: Estimate
    seeds: int

    @property
    def interval(self) -> str:
        """What the deciding interval is over."""
        return "seeds and faces" if self.seeds > 1 else "faces"

    def in_words(self, digits: int, unit: str = "") -> str:
        """The difference with both intervals."""
        value = with_interval(self.estimate, digits, unit)
        text = f"{value} over {counted(self.seeds, 'seed')} and all faces"
        if self.seeds == 1:
            return text
        low, high = self.over_seeds.low, self.over_seeds.high
        return f"{text} ({low:z.{digits}f} to {high:z.{digits}f} by Student's t over seeds alone)"


def difference_of(values: Sequence[Values]) -> Difference:
    """The mean of the differences (faces,) of each seed, of which there is one or more."""
    return Difference(crossed_bootstrap(values), seeds_interval(values), len(values))


def if_complete(verdict: Verdict, cells: Sequence[Cell]) -> Verdict:
    """A verdict that needs all runs: undecided where one is missing or has diverged."""
    incomplete = any(cell.missing or cell.diverged for cell in cells)
    return Verdict.UNDECIDED if incomplete else verdict


def without_diverged(cells: Sequence[Cell]) -> str:
    """The end of a sentence that leaves out diverged runs, which have no faces; empty without any."""
    diverged = sum(cell.diverged for cell in cells)
    runs = sum(len(cell.runs) for cell in cells)
    return f"; left out: {diverged} of {counted(runs, 'run')} diverged" if diverged else ""
