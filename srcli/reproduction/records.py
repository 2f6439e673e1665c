"""The small record that is kept of a finished run: what claims are judged by, without weights or faces."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcli.errors import DataError
from srcli.pictures.pixels import Pixels, as_png
from srcli.storage.atomic import atomic_folder, write_bytes, write_json, write_text
from srcli.storage.bounded import read_bounded

RECORD_FILE, EXAMPLES_FILE = "record.json", "examples.png"
TABLES = ("faces", "steps", "evaluations")
"""The columns of a record, each a CSV file of that name."""
STEP_TERMS = ("critic_loss", "generator_loss", "adversarial", "l1", "wasserstein", "gradient_penalty")
MAX_BYTES = 50 * 2**20

Series = NDArray[np.float64]
Columns = Mapping[str, Series]
Baselines = Mapping[str, Columns]
"""Figures of each test face by enlarger ("nearest", "bicubic", "bicubic_tensorflow1") and name ("psnr")."""


@dataclass(frozen=True)
class RunRecord:
    """What a run came to.

    Attributes:
        cell: The preset, with a suffix where a plan runs it in more than one way.
        status: `finished` or `diverged`.
        reason: Why it diverged; empty for a finished run.
        experiment: All settings, as `experiment.yaml` holds them.
        made: Versions, device and the training data's fingerprint and size, by name.
        epochs: How often the critic (without one: the generator) has seen each training face.
        figures: Of the whole test split, by name: `psnr_running` and so on; see `finals.measure_run`.
        faces: Figures of each test face (N,), by name.
        steps: Logged terms by step, (steps,), NaN where a step has none; `step` is one of them.
        evaluations: Figures by evaluation, (evaluations,); `step` is one of them.
    """

    cell: str
    part: str
    figures_of_paper: str
    preset: str
    seed: int
    status: str
    reason: str
    step: int
    seconds: float
    experiment: Mapping[str, Any]
    made: Mapping[str, Any]
    critic_updates: int
    epochs: float
    figures: Mapping[str, float]
    faces: Columns
    steps: Columns
    evaluations: Columns

    @property
    def name(self) -> str:
        """The cell and the seed."""
        return f"{self.cell}-s{self.seed}"

    @property
    def objective(self) -> str:
        """`gan`, `wgan` or `wgan-gp`."""
        return str(self.experiment["objective"]["name"])


def write_record(folder: Path, record: RunRecord, examples: Pixels | None) -> None:
    """Writes a record as `folder`, whole or not at all.

    Args:
        examples: The example faces as the run enlarges them, side by side, (H, W, 3).
    """
    values = asdict(record)
    tables = {name: values.pop(name) for name in TABLES}
    values["figures"] = {name: float(f"{value:.6g}") for name, value in record.figures.items()}
    with atomic_folder(folder) as new:
        write_json(new / RECORD_FILE, values)
        for name, columns in tables.items():
            write_text(new / f"{name}.csv", _as_csv(columns))
        if examples is not None:
            write_bytes(new / EXAMPLES_FILE, as_png(examples))


def read_record(folder: Path) -> RunRecord:
    """Reads what `write_record` wrote.

    Raises:
        DataError: It is not a record, or it is damaged.
    """
    try:
        values = json.loads(read_bounded(folder / RECORD_FILE, MAX_BYTES))
        texts = {name: read_bounded(folder / f"{name}.csv", MAX_BYTES).decode() for name in TABLES}
        tables: dict[str, Any] = {name: _from_csv(text) for name, text in texts.items()}
        return RunRecord(**values, **tables)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(f"{folder} is not the record of a run: {error}") from error


def read_records(folder: Path) -> list[RunRecord]:
    """All records in a folder, sorted by name; none where there is no folder."""
    if not folder.is_dir():
        return []
    return [read_record(path) for path in sorted(folder.iterdir()) if (path / RECORD_FILE).is_file()]


def columns_of(log: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Series]:
    """Columns of a log by name, NaN where an entry lacks a value; names that no entry has are left out."""
    wanted = [name for name in names if any(name in entry for entry in log)]
    return {name: np.array([entry.get(name, np.nan) for entry in log], np.float64) for name in wanted}


def _as_csv(columns: Columns) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([f"{value:.5g}" for value in row] for row in zip(*columns.values(), strict=True))
    return text.getvalue()


def _from_csv(text: str) -> dict[str, Series]:
    names, *rows = csv.reader(io.StringIO(text))
    values = np.array(rows, np.float64).reshape(len(rows), len(names))
    return {name: values[:, place].copy() for place, name in enumerate(names)}
