"""A comparison on disk and on the terminal: pictures, metrics, the report, and a table."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from srcli.comparison.compare import SAMPLE_SEED, Comparison, Estimate, Model
from srcli.comparison.panel import panel, sample_sheet
from srcli.comparison.report import report_html
from srcli.console import table
from srcli.errors import UserError
from srcli.metrics.table import SET_METRICS, Metric
from srcli.pictures.pixels import Pixels, as_png
from srcli.storage.atomic import atomic_folder, write_bytes, write_json, write_text
from srcli.version import __version__

REPORT_FILE, METRICS_FILE, PANEL_FILE = "report.html", "metrics.json", "panel.png"


def check_folder(out: Path) -> None:
    """Makes sure that a comparison can be written to a folder before any work is done.

    Raises:
        UserError: There is a file, or a folder with something in it.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file", "Give a folder for --out.")
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} is not empty", "Give a new folder for --out.")


def write_comparison(out: Path, comparison: Comparison, charts: Mapping[str, bytes] | None = None) -> Path:
    """Writes everything, `charts` as in `report_html`, into a new or empty folder, whole or not at all.

    Returns:
        The report's path.
    """
    check_folder(out)
    with atomic_folder(out) as folder:
        pictures = {}
        for name, file, pixels in _pictures(comparison):
            write_bytes(folder / file, as_png(pixels))
            pictures[name] = (folder / file).read_bytes()
        write_json(folder / METRICS_FILE, metrics_record(comparison))
        write_text(folder / REPORT_FILE, report_html(comparison, pictures, charts))
    return out / REPORT_FILE


def print_comparison(comparison: Comparison) -> None:
    """Prints the means of all metrics on standard error; their intervals are in the report."""
    if comparison.rows:
        faces = comparison.faces
        inputs = "" if faces.degradation is None else f", inputs degraded by {faces.degradation.name}"
        means = [
            (row.name, {key: part.mean for key, part in row.estimates.items()}) for row in comparison.rows
        ]
        _print_metrics(f"{len(faces.labels):,} test faces{inputs}", comparison.metrics, means)
    if comparison.sample_sets:
        values = [(item.name, item.metrics) for item in comparison.sample_sets]
        _print_metrics(f"{comparison.sample_sets[0].count:,} samples each", SET_METRICS, values)
    runs = [[model.name, model.health] for model in comparison.models if model.health is not None]
    if runs:
        table("runs", ["", "health"], runs)


def _print_metrics(
    title: str, metrics: Sequence[Metric], rows: Sequence[tuple[str, Mapping[str, float]]]
) -> None:
    cells = [[name, *(metric.number(of[metric.key]) for metric in metrics)] for name, of in rows]
    table(title, ["", *(metric.title for metric in metrics)], cells)


def metrics_record(comparison: Comparison) -> dict[str, Any]:
    """The contents of `metrics.json`, where an infinite value is null."""
    faces = comparison.faces
    return {
        "srcli": __version__,
        "data": {
            "source": faces.source,
            "fingerprint": faces.fingerprint,
            "faces": len(faces.labels),
            "degradation": None if faces.degradation is None else faces.degradation.name,
        },
        "enlarged": [
            {"kind": row.name, "model": _model_record(row.model)}
            | {metric.key: _estimate_record(row.estimates[metric.key]) for metric in comparison.metrics}
            for row in comparison.rows
        ],
        "samples": [
            {
                "kind": item.name,
                "model": _model_record(item.model),
                "count": item.count,
                "seed": SAMPLE_SEED if item.model else None,
                **item.metrics,
            }
            for item in comparison.sample_sets
        ],
    }


def _pictures(comparison: Comparison) -> Iterator[tuple[str, str, Pixels]]:
    """Every picture: its name in the report, its file name and its pixels."""
    if comparison.rows:
        captions = {"nearest": "input (nearest)"}
        rows = [(captions.get(row.name, row.name), row.shown) for row in comparison.rows]
        yield "panel", PANEL_FILE, panel(rows)
    for position, item in enumerate(comparison.sample_sets, 1):
        # Test faces come last and have no number, so that the numbers are those of the models.
        file = f"samples-{position}.png" if item.model else "samples-test-faces.png"
        yield item.name, file, sample_sheet(item.shown)


def _model_record(model: Model | None) -> dict[str, Any] | None:
    if model is None:
        return None
    description = model.generator.description
    return {
        "source": model.source,
        "experiment": description.name,
        "step": description.step,
        "sha256": description.sha256,
        "health": model.health,
    }


def _estimate_record(value: Estimate) -> dict[str, float | None]:
    return {name: part if math.isfinite(part) else None for name, part in asdict(value).items()}
