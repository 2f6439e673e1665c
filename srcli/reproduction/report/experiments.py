"""The table of all experiments: the state of each seed, and its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from srcli.metrics.table import METRICS
from srcli.reproduction.cells import Cell
from srcli.reproduction.records import Baselines, Columns, RunRecord
from srcli.reproduction.report.paper import PAPERS_EXPERIMENTS
from srcli.reproduction.report.wording import UNKNOWN, fixed, over_seeds
from srcli.runs.status import RunStatus


class Column(NamedTuple):
    """A metric in the table; `figure` is its name in a run's record."""

    figure: str
    title: str
    decimals: int
    meaning: str


_PSNR = METRICS["psnr"]
COLUMNS: Sequence[Column] = (
    *(
        Column(f"psnr_{kind}", f"{_PSNR.name}, {kind} ({_PSNR.unit})", _PSNR.decimals, meaning)
        for kind, meaning in (
            ("running", "of all test faces, with batch norm's running statistics"),
            ("batch", "the same with the statistics of each batch of test faces"),
        )
    ),
    *(
        Column(f"{key}_running", METRICS[key].title, METRICS[key].decimals, METRICS[key].definition)
        for key in ("ssim", "consistency", "sharpness", "spread", "duplicates", "recall")
    ),
)


@dataclass(frozen=True)
class ExperimentRow:
    """A row of the table.

    Attributes:
        values: One per column, as shown.
        states: Seeds by state, as in "finished: 0, 1".
        done: Whether all seeds are finished.
        stamp: Width and precision.
        step: The last of the finished runs; of those that ended early if none is finished.
        epochs: Of critic and generator, as in "10.8 / 2.2".
    """

    name: str
    figures: str
    values: tuple[str, ...]
    states: tuple[str, ...]
    done: bool
    stamp: str = ""
    step: str = UNKNOWN
    critic_updates: str = UNKNOWN
    epochs: str = UNKNOWN


class ExperimentGroup(NamedTuple):
    """Rows under one heading."""

    title: str
    rows: list[ExperimentRow]


def experiment_groups(cells: Mapping[str, Cell], baselines: Baselines) -> list[ExperimentGroup]:
    """The paper's 21 experiments, the plan's others by part, and interpolation."""
    paper = [
        _cell_row(cells[name], figures)
        if name in cells
        else ExperimentRow(name, figures, (UNKNOWN,) * len(COLUMNS), ("not in this plan",), done=False)
        for name, figures in PAPERS_EXPERIMENTS.items()
    ]
    groups = [ExperimentGroup("the paper's experiments", paper)]
    parts: dict[str, list[Cell]] = {}
    for cell in cells.values():
        if cell.name not in PAPERS_EXPERIMENTS:
            parts.setdefault(cell.part, []).append(cell)
    groups += [_part_group(part, own) for part, own in parts.items()]
    if baselines:
        groups.append(ExperimentGroup("interpolation", [_baseline_row(*item) for item in baselines.items()]))
    return groups


def stopped_runs(cells: Sequence[Cell]) -> list[tuple[str, str]]:
    """The names of the runs that ended early, with the reason."""
    return [
        (run.name, f"{run.status} at step {run.step:,}: {run.reason or 'no reason given'}")
        for cell in cells
        for run in cell.records
        if run.status != RunStatus.FINISHED
    ]


def stamp_of(cell: Cell) -> str:
    """The generator's width and the precision, as in "width 128-64-48, fp32"."""
    generator = cell.experiment.generator.model_dump()
    width = generator.get("width", generator.get("widths"))
    words = "-".join(map(str, width)) if isinstance(width, list | tuple) else str(width)
    return f"width {words}, {cell.experiment.training.precision}"


def _part_group(part: str, cells: Sequence[Cell]) -> ExperimentGroup:
    """The cells of a part; figures that all of them belong to stand in the heading."""
    figures = {cell.figures for cell in cells}
    if len(figures) > 1:
        return ExperimentGroup(part, [_cell_row(cell, cell.figures) for cell in cells])
    return ExperimentGroup(f"{part}: figures {figures.pop()}", [_cell_row(cell, "") for cell in cells])


def _cell_row(cell: Cell, figures: str) -> ExperimentRow:
    by_state = cell.seeds_by_state()
    runs = cell.finished
    over = [[run.figures[c.figure] for run in runs if c.figure in run.figures] for c in COLUMNS]
    return ExperimentRow(
        cell.name,
        figures,
        tuple(over_seeds(values, c.decimals) for values, c in zip(over, COLUMNS, strict=True)),
        tuple(f"{state}: {', '.join(map(str, seeds))}" for state, seeds in by_state.items()),
        list(by_state) == [RunStatus.FINISHED],
        stamp_of(cell),
        _same([f"{run.step:,}" for run in runs or cell.records]),
        _same([f"{run.critic_updates:,}" for run in runs or cell.records]),
        _same([_epochs(run) for run in runs or cell.records]),
    )


def _baseline_row(name: str, columns: Columns) -> ExperimentRow:
    figures = {f"{key}_running": float(values.mean()) for key, values in columns.items()}
    shown = tuple(fixed(figures[c.figure], c.decimals) if c.figure in figures else UNKNOWN for c in COLUMNS)
    title = name.replace("_", " ").replace("tensorflow1", "(TensorFlow 1)")
    return ExperimentRow(title, UNKNOWN, shown, (), done=True)


def _epochs(run: RunRecord) -> str:
    """How often critic and generator have seen each training face."""
    if run.critic_updates == 0:
        return f"{UNKNOWN} / {run.epochs:.1f}"
    return f"{run.epochs:.1f} / {run.epochs * run.step / run.critic_updates:.1f}"


def _same(values: Sequence[str]) -> str:
    """The different values of the seeds."""
    return ", ".join(dict.fromkeys(values)) or UNKNOWN
