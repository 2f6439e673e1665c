"""`compare`'s page in a true browser, where Chromium and the extra `browser` are installed."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tiny_experiments import pack_faces
from warm import Srcli

api = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
CHROMIUM = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

LEGIBLE = 4.5
"""The least contrast of text by WCAG 2.1, 1.4.3."""

EDGE = 10
"""Pixels at each side of a slider that are not compared."""

TEXTS = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.checkVisibility() && !['SCRIPT', 'STYLE', 'OPTION'].includes(e.tagName)
    && [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim()))
  .map(e => {
    const groundOf = e => getComputedStyle(e).backgroundColor;
    let ground = e;
    while (ground !== document.body && groundOf(ground) === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
    return [e.textContent.trim().slice(0, 40), getComputedStyle(e).color, groundOf(ground)];
  })"""
"""Every visible text with its colour and the one behind it."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, srcli: Srcli) -> Path:
    """The page of a short run, with its curves."""
    folder = tmp_path_factory.mktemp("report")
    data = pack_faces(folder)
    settings = ["generator.widths=[4,4,4]", "critic.width=4", "training.steps=6", "training.evaluate_faces=2"]
    overrides = [part for setting in settings for part in ("--set", setting)]
    run, out = folder / "run", folder / "out"
    trained = srcli("train", "--preset", "smoke", "--data", data, "--out", run, *overrides)
    assert trained.returncode == 0, trained.stderr
    compared = srcli("compare", run, "--data", data, "--out", out)
    assert compared.returncode == 0, compared.stderr
    return out / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator["api.Browser"]:
    with api.sync_playwright() as playwright:
        # Root may only start Chromium without its sandbox, as in containers.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: "api.Browser", report: Path) -> Iterator["api.Page"]:
    """The page, opened as a file; nothing may be asked of the network or said on the console."""
    page = browser.new_page(color_scheme=request.param)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(report.as_uri())
    yield page
    page.close()
    assert [url[:40] for url in asked if not url.startswith("data:")] == [report.as_uri()[:40]]
    assert said == []


def test_the_slider_lays_one_row_over_another_up_to_where_it_is_dragged(page: "api.Page") -> None:
    slider = page.locator(".slider").nth(1)
    before, after = _both(page, 1), _both(page, 3)
    assert (before != after).any(axis=2).mean() > 0.5
    _choose(page, 1, 3)
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for share in (0.25, 0.75):
        page.mouse.move(
            box["x"] + EDGE + share * (box["width"] - 2 * EDGE), box["y"] + box["height"] / 2, steps=4
        )
        shown, width = _inner(slider), before.shape[1]
        left, right = slice(0, int((share - 0.05) * width)), slice(int((share + 0.05) * width), width)
        assert np.array_equal(shown[:, left], before[:, left])
        assert np.array_equal(shown[:, right], after[:, right])
    page.mouse.up()


def test_the_curves_are_drawn(page: "api.Page") -> None:
    charts = page.locator(".charts img")
    assert charts.count() == 3
    for chart in charts.all():
        pixels = _pixels(chart).astype(int)
        coloured = pixels.max(axis=2) - pixels.min(axis=2) > 60  # axes and letters are grey
        assert coloured.any(axis=0).mean() > 0.5  # a line from the left to the right


@pytest.mark.parametrize("width", [400, 1400])
def test_nothing_is_wider_than_the_window(page: "api.Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_text_is_legible(page: "api.Page") -> None:
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    texts = page.evaluate(TEXTS)
    assert len(texts) > 50
    contrasts = {text: _contrast(_colour(ink), _colour(ground)) for text, ink, ground in texts}
    assert {text: value for text, value in contrasts.items() if value < LEGIBLE} == {}


def test_the_page_is_dark_where_that_is_preferred(page: "api.Page") -> None:
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (_luminance(_colour(ground)) < 0.05) == is_dark


def _choose(page: "api.Page", before: int, after: int) -> None:
    page.select_option("select[name=before]", index=before)
    page.select_option("select[name=after]", index=after)


def _both(page: "api.Page", row: int) -> NDArray[np.uint8]:
    """The second slider's face with the same row on both sides, and the border between them out of sight."""
    _choose(page, row, row)
    slider = page.locator(".slider").nth(1)
    slider.evaluate("slider => slider.style.setProperty('--at', '-5%')")
    return _inner(slider)


def _inner(slider: "api.Locator") -> NDArray[np.uint8]:
    """A slider's pixels without its edge, which is round, and marked while it is used."""
    return _pixels(slider)[EDGE:-EDGE, EDGE:-EDGE]


def _pixels(element: "api.Locator") -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("RGB"))


def _colour(text: str) -> list[float]:
    """Red, green and blue of `rgb(1, 2, 3)` in [0, 1]."""
    return [float(part) / 255 for part in text.partition("(")[2].rstrip(")").split(",")[:3]]


def _luminance(colour: list[float]) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.1)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: list[float], other: list[float]) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
