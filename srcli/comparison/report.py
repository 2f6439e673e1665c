"""A comparison as one HTML page that needs nothing else: pictures, style and script are inside."""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import NamedTuple

import numpy as np

from srcli.comparison.compare import LABEL, Comparison, Estimate, Row
from srcli.metrics.table import SET_METRICS, Metric
from srcli.pages.rendering import page_environment
from srcli.pictures.pixels import as_png
from srcli.version import __version__


class _Cell(NamedTuple):
    """A mean and its interval as they are printed; a label's infinite mean has no interval."""

    mean: str
    interval: str
    is_best: bool


def report_html(
    comparison: Comparison, pictures: Mapping[str, bytes], charts: Mapping[str, bytes] | None = None
) -> str:
    """The page.

    Args:
        pictures: PNG files by name: `panel` and, for each sample set, its name.
        charts: PNG files of the runs' curves by title.
    """
    rows = comparison.rows
    best = {metric.key: _best(rows, metric) for metric in comparison.metrics} if rows else {}
    script = (resources.files("srcli.comparison") / "templates" / "sliders.js").read_text(encoding="utf-8")
    template = page_environment("srcli.comparison").get_template("report.html.j2")
    return template.render(
        comparison=comparison,
        faces=comparison.faces,
        rows=[_shown_row(row, comparison.metrics, best) for row in rows],
        shown=len(rows[0].shown) if rows else 0,
        image_metrics=comparison.metrics,
        set_metrics=SET_METRICS,
        pictures=pictures,
        charts=charts or {},
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        version=__version__,
    )


def _shown_row(row: Row, metrics: Sequence[Metric], best: Mapping[str, str | None]) -> dict[str, object]:
    """A row of the table; `strip` is a PNG of its first faces side by side."""
    strip = as_png(np.concatenate(list(row.shown), axis=1))
    cells = [_cell(row, metric, best[metric.key]) for metric in metrics]
    return {"name": row.name, "strip": strip, "cells": cells}


def _cell(row: Row, metric: Metric, best: str | None) -> _Cell:
    value: Estimate = row.estimates[metric.key]
    mean, is_label = metric.number(value.mean), row.name == LABEL
    interval = f"{metric.number(value.low)} to {metric.number(value.high)}"
    return _Cell(mean, interval * (math.isfinite(value.mean) or not is_label), mean == best and not is_label)


def _best(rows: Sequence[Row], metric: Metric) -> str | None:
    """The best mean as it is printed, among all rows but the label's; None where none is the best."""
    if metric.better is None:
        return None
    means = [row.estimates[metric.key].mean for row in rows if row.name != LABEL]
    return metric.number(max(means) if metric.better == "higher" else min(means))
