"""Writes a report: one HTML page, the same as Markdown, its figures, and the verdicts as JSON."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from markupsafe import Markup

from srcli.pages.rendering import page_environment
from srcli.reproduction.report.contents import Reproduction
from srcli.reproduction.report.experiments import COLUMNS
from srcli.reproduction.report.page import contents_of
from srcli.reproduction.report.paper import AUTHORS_LOG
from srcli.reproduction.report.wording import cell_of_table, in_brackets
from srcli.reproduction.verdicts import Claim
from srcli.storage.atomic import atomic_file, write_json, write_text

PAGE, MARKDOWN, VERDICTS, FIGURES = "report.html", "reproduction.md", "verdicts.json", "figures"
SYMBOLS = {"holds": "✓", "does not hold": "✗", "undecided": "?"}


def write_report(reproduction: Reproduction, folder: Path) -> None:
    """Writes `report.html`, `reproduction.md`, its `figures/` and `verdicts.json`, each whole or not at all.

    Equal reproductions give equal bytes.

    Raises:
        DataError: A PNG of example faces isn't one.
    """
    page = contents_of(reproduction)
    for tile in (tile for picture in page["pictures"] for tile in picture.tiles):
        with atomic_file(folder / FIGURES / f"{tile.name}.png") as file:
            file.write(tile.png)
    write_text(folder / MARKDOWN, _render("reproduction.md.j2", page))
    write_text(folder / PAGE, _render("report.html.j2", page))
    claims = [_as_json(claim) for claim in (*page["claims"], *page["study_claims"])]
    write_json(folder / VERDICTS, {"plan": reproduction.plan.name, "claims": claims})


def _render(template: str, page: Mapping[str, Any]) -> str:
    environment = page_environment("srcli.reproduction.report")
    environment.filters |= {"interval": in_brackets, "md": _for_markdown, "shown": cell_of_table}
    found = environment.get_template(template)
    return found.render(page=page, columns=COLUMNS, symbols=SYMBOLS, authors_log=AUTHORS_LOG, figures=FIGURES)


def _for_markdown(value: object) -> Markup:
    """Text on one line, escaped for Markdown, HTML and the cells of a table."""
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(re.sub(r"([\\`*_\[\]|~$])", r"\\\1", text))


def _as_json(claim: Claim) -> dict[str, Any]:
    """A claim as JSON has it; numbers that are not finite are null."""
    values = asdict(claim)
    for finding, own in zip(values["findings"], claim.findings, strict=True):
        estimate = own.estimate
        finding["estimate"] = estimate and {
            name: value if math.isfinite(value) else None for name, value in estimate._asdict().items()
        }
    return values
