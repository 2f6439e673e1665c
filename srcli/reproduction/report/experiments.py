"""The table of all experiments: what became of each seed, and its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from srcli.metrics.table import METRICS
from srcli.reproduction.records import RunRecord
from srcli.reproduction.report.contents import Cell
from srcli.reproduction.report.own_charts import Baselines
from srcli.reproduction.report.wording import UNKNOWN, fixed, over_seeds
from srcli.runs.status import RunStatus

PAPERS_EXPERIMENTS: Mapping[str, str] = {
    "resnet-gan": "1, 2, 4",
    "resnet-wgan": "1, 2, 4",
    "resnet-wgangp": "1, 2",
    "dcgan-gan": "3 b",
    "dcgan-wgan": "3 c",
    "dcgan-wgangp": "3 d",
    "mlp-gan": "3 e",
    "mlp-wgan": "3 f",
    "mlp-wgangp": "3 g",
    "resnet-nobn-gan": "3 h",
    "resnet-nobn-wgan": "3 i",
    "resnet-nobn-wgangp": "3 j",
    "dcgan-tanh-gan": "3 k",
    "dcgan-tanh-wgan": "3 l",
    "dcgan-tanh-wgangp": "3 m",
    "resnet-gan-gamma0": "4",
    "resnet-gan-gamma05": "4",
    "resnet-wgan-gamma0": "4",
    "resnet-wgan-gamma05": "4",
    "noise-dcgan-gan": "5",
    "noise-dcgan-wgangp": "5",
}
"""The paper's 21 experiments, and the figures they are in."""

NOT_PLANNED = "not in this plan"


@dataclass(frozen=True)
class Column:
    """A metric in the table; `figure` is its name in a run's record."""

    figure: str
    title: str
    decimals: int
    meaning: str


def _column(key: str) -> Column:
    metric = METRICS[key]
    return Column(f"{key}_running", metric.title, metric.decimals, metric.definition)


_PSNR = METRICS["psnr"]
COLUMNS: Sequence[Column] = (
    Column(
        "psnr_running",
        f"{_PSNR.name}, running ({_PSNR.unit})",
        _PSNR.decimals,
        "of all test faces, with batch norm's running statistics",
    ),
    Column(
        "psnr_batch",
        f"{_PSNR.name}, batch ({_PSNR.unit})",
        _PSNR.decimals,
        "the same with the statistics of each batch of test faces",
    ),
    *map(_column, ("ssim", "consistency", "sharpness", "spread", "duplicates", "recall")),
)


@dataclass(frozen=True)
class ExperimentRow:
    """A row of the table.

    Attributes:
        stamp: Width and precision.
        states: What became of its seeds, as "finished: 0, 1".
        done: Whether all of them are finished.
        values: One a column, as it is shown.
        step: The last of the finished runs; of those that ended early where none is finished.
        epochs: Of critic and generator, as "10.8 / 2.2".
    """

    name: str
    stamp: str
    figures: str
    states: tuple[str, ...]
    done: bool
    values: tuple[str, ...]
    step: str
    critic_updates: str
    epochs: str


@dataclass(frozen=True)
class ExperimentGroup:
    """Rows under one heading."""

    title: str
    rows: tuple[ExperimentRow, ...]


def experiment_groups(cells: Mapping[str, Cell], baselines: Baselines) -> list[ExperimentGroup]:
    """The paper's 21 experiments, whatever else the plan runs, and interpolation."""
    paper = [
        _cell_row(cells[name], figures) if name in cells else _absent_row(name, figures)
        for name, figures in PAPERS_EXPERIMENTS.items()
    ]
    groups = [ExperimentGroup("the paper's experiments", tuple(paper))]
    parts: dict[str, list[Cell]] = {}
    for cell in cells.values():
        if cell.name not in PAPERS_EXPERIMENTS:
            parts.setdefault(cell.part, []).append(cell)
    groups += [_part_group(part, own) for part, own in parts.items()]
    if baselines:
        rows = tuple(_baseline_row(name, baselines) for name in baselines)
        groups.append(ExperimentGroup("interpolation", rows))
    return groups


def stopped_runs(cells: Mapping[str, Cell]) -> list[tuple[str, str]]:
    """The names of the runs that ended early, and why."""
    runs = [run for cell in cells.values() for run in cell.records if run.status != RunStatus.FINISHED]
    return [
        (run.name, f"{run.status} at step {run.step:,}: {run.reason or 'no reason given'}") for run in runs
    ]


def stamp_of(cell: Cell) -> str:
    """The generator's width and the precision, as "width 128-64-48, fp32"."""
    generator = cell.experiment.generator.model_dump()
    width = generator.get("width", generator.get("widths"))
    words = "-".join(map(str, width)) if isinstance(width, list | tuple) else str(width)
    return f"width {words}, {cell.experiment.training.precision}"


def _part_group(part: str, cells: Sequence[Cell]) -> ExperimentGroup:
    """The cells of a part; which figures they belong to is said once where it is the same for all."""
    figures = {cell.figures for cell in cells}
    if len(figures) > 1:
        return ExperimentGroup(part, tuple(_cell_row(cell, cell.figures) for cell in cells))
    rows = tuple(_cell_row(cell, "") for cell in cells)
    return ExperimentGroup(f"{part}: figures {figures.pop()}", rows)


def _cell_row(cell: Cell, figures: str) -> ExperimentRow:
    by_state = cell.seeds_by_state()
    states = tuple(f"{state}: {', '.join(map(str, seeds))}" for state, seeds in by_state.items())
    runs = cell.finished
    values = tuple(
        over_seeds([run.figures[c.figure] for run in runs if c.figure in run.figures], c.decimals)
        for c in COLUMNS
    )
    return ExperimentRow(
        cell.name,
        stamp_of(cell),
        figures,
        states,
        list(by_state) == [RunStatus.FINISHED],
        values,
        _same([f"{run.step:,}" for run in runs or cell.records]),
        _same([f"{run.critic_updates:,}" for run in runs or cell.records]),
        _same([_epochs(run) for run in runs or cell.records]),
    )


def _absent_row(name: str, figures: str) -> ExperimentRow:
    values = (UNKNOWN,) * len(COLUMNS)
    return ExperimentRow(name, "", figures, (NOT_PLANNED,), False, values, UNKNOWN, UNKNOWN, UNKNOWN)


def _baseline_row(name: str, baselines: Baselines) -> ExperimentRow:
    figures = {f"{key}_running": float(values.mean()) for key, values in baselines[name].items()}
    shown = [fixed(figures[c.figure], c.decimals) if c.figure in figures else UNKNOWN for c in COLUMNS]
    title = name.replace("_", " ").replace("tensorflow1", "(TensorFlow 1)")
    return ExperimentRow(title, "", UNKNOWN, (), True, tuple(shown), UNKNOWN, UNKNOWN, UNKNOWN)


def _epochs(run: RunRecord) -> str:
    """How often the critic and the generator have seen each face."""
    if run.critic_updates == 0:
        return f"{UNKNOWN} / {run.epochs:.1f}"
    return f"{run.epochs:.1f} / {run.epochs * run.step / run.critic_updates:.1f}"


def _same(values: Sequence[str]) -> str:
    """The values of all seeds, once where they agree."""
    return ", ".join(dict.fromkeys(values)) or UNKNOWN
