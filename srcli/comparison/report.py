"""A comparison as one HTML page that needs nothing else: pictures inside, no scripts."""

import base64
import html
import math
from collections.abc import Iterable, Mapping, Sequence

import srcli
from srcli.comparison.compare import LABEL, Comparison, Row, SampleSet
from srcli.comparison.figures import FIGURES, Estimate, Figure
from srcli.comparison.test_faces import Faces
from srcli.data.task import Task

_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.5rem 4rem; background: #fff; color: #262626;
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; }
p, dd { max-width: 46rem; }
.quiet, figcaption { color: #666; font-size: .9rem; }
figure { margin: 1rem 0; }
figcaption { max-width: 46rem; margin-top: .4rem; }
img { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem 1.1rem .45rem 0; border-bottom: 1px solid #e3e3e3; text-align: right;
  vertical-align: top; }
th:first-child, td.text { text-align: left; }
thead th { border-bottom: 2px solid #b8b8b8; white-space: nowrap; }
tbody th { font-weight: normal; }
td small { display: block; color: #767676; white-space: nowrap; }
dt { font-weight: 600; margin-top: .8rem; }
dd { margin: 0; }
code { font-size: .85em; overflow-wrap: anywhere; }
.samples { display: flex; flex-wrap: wrap; gap: 2rem; }
""".strip()

_PANEL_NOTE = (
    "The same faces in every row. The top row is the {0}x{0} input, the bottom row the {1}x{1} label it was"
    " made from; between them is what came out of the input alone."
)
_SAMPLES_NOTE = (
    "These models draw faces from noise; there is no label to measure against. The mean distance is the root"
    " mean square difference of two faces, averaged over all pairs. A face has a near copy when another one"
    " differs from it by less than a quarter of the faces' contrast, or by too little to be seen. A"
    " good model is spread about as far as the test faces and has hardly a near copy; a collapsed one has a"
    " small distance and many near copies."
)

_DEGRADED_NOTE = (
    "Nearest and bicubic enlarge the same degraded inputs. Consistency is measured against the undegraded"
    " average, so that keeping a defect of the input does not count as truth."
)
_METHOD_NOTE = (
    "Inputs are {} in 8 bits, bicubic is Pillow's, and outputs are rounded to 8 bits before they are"
    " measured."
)


def report_html(comparison: Comparison, pictures: Mapping[str, bytes]) -> str:
    """The page.

    Args:
        comparison: What it tells of.
        pictures: PNG files by name: `panel` and, for each sample set, its name.
    """
    body = [_head(comparison)]
    if comparison.rows:
        body.append(_enlarged(comparison.rows, pictures["panel"], comparison.faces.task))
    if comparison.sample_sets:
        body.append(_samples(comparison.sample_sets, pictures))
    body.append(_origins(comparison))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>srcli: comparison of models</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def number(value: float, decimals: int) -> str:
    """A figure for people; infinity is the sign."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else "∞"


def _head(comparison: Comparison) -> str:
    count, faces = len(comparison.models), comparison.faces
    models = "1 model" if count == 1 else f"{count} models"
    return (
        f"<h1>Comparison of {models}</h1>\n"
        f'<p class="quiet">on {len(faces.labels):,} test faces of {_text(faces.source)}</p>'
        f"{_degradation(faces)}"
    )


def _degradation(faces: Faces) -> str:
    if faces.degradation is None:
        return ""
    name, meaning = _text(faces.degradation.name), _text(faces.degradation.meaning)
    return f"\n<p>Inputs are degraded, <code>{name}</code>: {meaning}. {_text(_DEGRADED_NOTE)}</p>"


def _enlarged(rows: Sequence[Row], picture: bytes, task: Task) -> str:
    names = ", ".join(row.name for row in rows)
    note = _PANEL_NOTE.format(task.input_size, task.label_size)
    meanings = "\n".join(f"<dt>{_text(f.title)}</dt>\n<dd>{_text(f.meaning)}</dd>" for f in FIGURES)
    best = {figure.key: _best(rows, figure) for figure in FIGURES}
    body = [[_row_head(row.name), *(_estimate(row, f, best[f.key]) for f in FIGURES)] for row in rows]
    return (
        f"<h2>Enlarged faces</h2>\n{_figure(picture, f'Faces, row by row: {names}', note)}\n"
        f"{_table(['', *(figure.title for figure in FIGURES)], body)}\n"
        '<p class="quiet">Means over the test faces, below them the 95 % bootstrap interval of the mean.'
        f" Bold: the best but for the label itself{_unmarked()}.</p>\n"
        f"<h2>What the figures mean</h2>\n<dl>\n{meanings}\n</dl>"
    )


def _samples(sets: Sequence[SampleSet], pictures: Mapping[str, bytes]) -> str:
    sheets = "\n".join(_figure(pictures[item.name], f"Samples: {item.name}", item.name) for item in sets)
    body = [
        [
            _row_head(item.name),
            f"<td>{item.count:,}</td>",
            f"<td>{number(item.diversity.mean_pairwise_distance, 4)}</td>",
            f"<td>{item.diversity.nearest_duplicate_rate:.1%}</td>",
        ]
        for item in sets
    ]
    return (
        f'<h2>Faces from noise</h2>\n<div class="samples">\n{sheets}\n</div>\n'
        f"{_table(['', 'faces', 'mean distance', 'with a near copy'], body)}\n<p>{_text(_SAMPLES_NOTE)}</p>"
    )


def _origins(comparison: Comparison) -> str:
    body = [
        [
            _row_head(model.name),
            f'<td class="text">{_text(model.source)}</td>',
            f"<td>{model.generator.description.step:,}</td>",
            f'<td class="text">{_text(model.health or "not a run")}</td>',
            f'<td class="text"><code>{_text(model.generator.description.sha256)}</code></td>',
        ]
        for model in comparison.models
    ]
    scale = comparison.faces.task.scale
    averages = f"the {scale}x{scale} area averages of the labels"
    inputs = averages if comparison.faces.degradation is None else "the labels degraded as said above"
    source, fingerprint = _text(comparison.faces.source), _text(comparison.faces.fingerprint)
    return (
        "<h2>Where this comes from</h2>\n"
        f"{_table(['model', 'given as', 'step', 'health', 'SHA-256 of the weights'], body)}\n"
        f'<p class="quiet">Faces: {source}, fingerprint <code>{fingerprint}</code>.<br>'
        f"{_text(_METHOD_NOTE.format(inputs))} Made by srcli {_text(srcli.__version__)}.</p>"
    )


def _best(rows: Sequence[Row], figure: Figure) -> float | None:
    """The best mean as it is printed, among all rows but the label's; None where none is best."""
    if figure.better is None:
        return None
    means = [round(row.estimates[figure.key].mean, figure.decimals) for row in rows if row.name != LABEL]
    return max(means) if figure.better == "higher" else min(means)


def _unmarked() -> str:
    """Which figures have nothing in bold."""
    return "".join(f"; {_text(figure.title)} has no best" for figure in FIGURES if figure.better is None)


def _estimate(row: Row, figure: Figure, best: float | None) -> str:
    value: Estimate = row.estimates[figure.key]
    mean = number(value.mean, figure.decimals)
    if row.name != LABEL and round(value.mean, figure.decimals) == best:
        mean = f"<strong>{mean}</strong>"
    if row.name == LABEL and not math.isfinite(value.mean):
        return f"<td>{mean}</td>"
    interval = f"{number(value.low, figure.decimals)} to {number(value.high, figure.decimals)}"
    return f"<td>{mean}<small>{interval}</small></td>"


def _row_head(name: str) -> str:
    return f'<th scope="row">{_text(name)}</th>'


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already, under titles that are not."""
    head = "".join(f'<th scope="col">{_text(column)}</th>' for column in columns)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        '<div class="wide"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _figure(picture: bytes, description: str, caption: str) -> str:
    data = base64.b64encode(picture).decode("ascii")
    return (
        f'<figure><img alt="{_text(description)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{_text(caption)}</figcaption></figure>"
    )


def _text(value: object) -> str:
    return html.escape(str(value))
