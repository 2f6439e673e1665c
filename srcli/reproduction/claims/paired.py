"""Differences on the same faces, with intervals over seeds and faces, as three claims use them."""

from collections.abc import Sequence
from dataclasses import dataclass

from srcli.reproduction.claims.cells import Cell, Values
from srcli.reproduction.claims.wording import counted, with_interval
from srcli.reproduction.intervals import crossed_bootstrap, seeds_interval
from srcli.reproduction.verdicts import Estimate, Verdict


@dataclass(frozen=True)
class Difference:
    """A mean difference on the same faces.

    Attributes:
        estimate: With the interval that decides, over seeds and faces; over faces alone when there is one
            seed.
        over_seeds: With Student's interval over seeds alone, which is honest about how few they are.
    """

    estimate: Estimate
    over_seeds: Estimate
    seeds: int

    @property
    def interval(self) -> str:
        """What the deciding interval is over."""
        return "seeds and faces" if self.seeds > 1 else "faces"

    def told(self, digits: int, unit: str = "") -> str:
        """The difference and both intervals, for a sentence."""
        text = (
            f"{with_interval(self.estimate, digits, unit)} over {counted(self.seeds, 'seed')} and all faces"
        )
        if self.seeds == 1:
            return text
        low, high = self.over_seeds.low, self.over_seeds.high
        return f"{text} ({low:z.{digits}f} to {high:z.{digits}f} by Student's t over seeds alone)"


def difference_of(values: Sequence[Values]) -> Difference | None:
    """The mean of differences (faces,) of some seeds; None without any."""
    if not values:
        return None
    return Difference(crossed_bootstrap(values), seeds_interval(values), len(values))


def settled(verdict: Verdict, cells: Sequence[Cell]) -> Verdict:
    """The verdict of figures that need all runs: undecided where one is missing or has diverged."""
    incomplete = any(cell.missing or cell.diverged for cell in cells)
    return Verdict.UNDECIDED if incomplete else verdict


def left_out(cells: Sequence[Cell]) -> str:
    """What a sentence says of diverged runs, which have no faces; empty without any."""
    diverged = sum(cell.diverged for cell in cells)
    runs = sum(len(cell.runs) for cell in cells)
    return f"; left out: {diverged} of {counted(runs, 'run')} diverged" if diverged else ""
