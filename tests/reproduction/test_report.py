"""The report of a campaign with made-up records: its contents, and that it is self-contained."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from srcli.data.task import PAPER
from srcli.errors import DataError
from srcli.pictures.pixels import Pixels
from srcli.pictures.resize import enlarge_bicubic, enlarge_nearest
from srcli.reproduction.cells import cells_of
from srcli.reproduction.plan import Plan, load_plan, planned_runs
from srcli.reproduction.records import RunRecord
from srcli.reproduction.report import Reproduction, write_report
from srcli.reproduction.report.experiments import experiment_groups
from srcli.reproduction.report.faces import FaceRow, face_sheet, split_strip
from srcli.reproduction.report.making import made_rows
from srcli.reproduction.report.paper import PAPERS_EXPERIMENTS
from srcli.reproduction.report.pictures import Curve, median_curve
from srcli.reproduction.report.wording import in_brackets, number, over_seeds
from srcli.reproduction.studies import THEORY_NOT_TESTED
from srcli.reproduction.verdicts import Claim, Estimate, Finding, Verdict

ODD = 'x<script>|`b` & "c"'
PLAN = load_plan("small")
RUNS = planned_runs(PLAN)
FIGURES = ("psnr", "ssim", "consistency", "sharpness", "spread", "duplicates")


def record_of(name: str, status: str = "finished", psnr: float = 20.0) -> RunRecord:
    """A made-up record of a planned run."""
    run = next(run for run in RUNS if run.name == name)
    steps = np.arange(1.0, 101)
    evaluated = np.arange(20.0, 101, 20)
    figures = {f"{key}_running": 0.5 for key in FIGURES} | {"psnr_running": psnr, "psnr_batch": psnr - 1}
    return RunRecord(
        cell=run.cell,
        part=run.part,
        figures_of_paper=run.figures,
        preset=run.preset,
        seed=run.seed,
        status=status,
        reason="" if status == "finished" else f"not finite {ODD}",
        step=100,
        seconds=5.0,
        experiment={},
        made={"versions": {"torch": "9.9"}, "train_faces": 7400},
        critic_updates=500,
        epochs=12.5,
        figures=figures if status == "finished" else {},
        faces={},
        steps={"step": steps, "l1": 1 / steps, "critic_loss": -steps, "generator_loss": np.sin(steps)}
        | {"wasserstein": steps},
        evaluations={"step": evaluated, "psnr": evaluated / 5, "wasserstein_test": -evaluated}
        | {"adversary_share": evaluated / 100},
    )


def strip_of(faces: Pixels) -> bytes:
    """Faces side by side in a PNG."""
    file = BytesIO()
    Image.fromarray(np.concatenate(list(faces), axis=1)).save(file, "PNG")
    return file.getvalue()


def made_claim(key: str = "follows") -> Claim:
    findings = tuple(
        Finding(
            claim=key,
            subject=f"{ODD} {verdict}",
            statistic="rho",
            estimate=estimate,
            interval="seeds",
            threshold="at least 0.3",
            verdict=verdict,
            sentence=f"So {verdict}.",
        )
        for verdict, estimate in zip(Verdict, [Estimate(0.41, 0.2, np.nan), None, None], strict=True)
    )
    return Claim(key, f"The loss {ODD} follows.", Verdict.UNDECIDED, f"It may {ODD}.", findings)


def reproduction_of(
    records: Sequence[RunRecord] = (),
    claims: Sequence[Claim] = (),
    plan: Plan = PLAN,
    studies: Mapping[str, Any] | None = None,
) -> Reproduction:
    labels = np.full((10, 64, 64, 3), 90, np.uint8)
    return Reproduction(
        plan=plan,
        cells=cells_of(RUNS if plan is PLAN else planned_runs(plan), records),
        claims=list(claims),
        baselines={"nearest": {"psnr": np.array([21.0, 22.0])}} if records else {},
        examples={record.name: strip_of(labels) for record in records if record.status == "finished"},
        faces=labels,
        studies=studies or {},
        commit="c0ffee",
    )


RECORDS = (
    record_of("resnet-gan-s0", psnr=20.0),
    record_of("resnet-gan-s1", psnr=22.0),
    record_of("resnet-gan-s2", status="diverged"),
    record_of("noise-dcgan-gan-s0"),
    record_of("srez-resnet-wgan-s1", status="failed"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    write_report(reproduction_of(RECORDS, [made_claim(), made_claim("stable")]), path)
    return path


class Page(HTMLParser):
    """The words and the tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page_in(folder: Path) -> Page:
    return Page((folder / "report.html").read_text("utf-8"))


def test_the_page_holds_every_claim_finding_and_experiment(folder: Path) -> None:
    text = page_in(folder).text
    claim = made_claim()
    assert claim.statement in text
    assert claim.sentence in text
    assert all(finding.subject in text and finding.sentence in text for finding in claim.findings)
    assert "0.410 [0.200, –]" in text
    assert "from 0.23 to 1.03 in the ninth" in text
    names = {run.cell for run in RUNS} | set(PAPERS_EXPERIMENTS)
    assert all(re.search(rf"(?<!\S){re.escape(name)}(?!\S)", text) for name in names)
    assert "80 runs are planned: 3 finished, 1 failed, 1 diverged and 75 not run yet." in text
    assert "the paper: full width, 202,599 faces, length not stated" in text
    assert f"diverged at step 100: not finite {ODD}" in text
    assert "c0ffee" in text


def test_the_markdown_says_the_same(folder: Path) -> None:
    text = (folder / "reproduction.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-z0-9-]+) \|", text, re.MULTILINE)
    assert {run.cell for run in RUNS} | set(PAPERS_EXPERIMENTS) <= set(rows)
    assert "?&nbsp;undecided" in text
    assert "x<script>" not in text
    assert r"x&lt;script&gt;\|\`b\` &amp; " in text
    shown = re.findall(r'<img src="(figures/[^"]+)"', text)
    assert sorted(shown) == sorted(f"figures/{path.name}" for path in (folder / "figures").iterdir())


def test_the_page_needs_nothing_else(folder: Path) -> None:
    text, page = (folder / "report.html").read_text("utf-8"), page_in(folder)
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    sources = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    assert links <= {f"#{name}" for name in ids}


def test_the_verdicts_are_strict_json(folder: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    values = json.loads((folder / "verdicts.json").read_text("utf-8"), parse_constant=refuse)
    claim = values["claims"][0]
    assert (values["plan"], claim["key"], claim["verdict"]) == ("small", "follows", "undecided")
    assert claim["findings"][0]["estimate"] == {"value": 0.41, "low": 0.2, "high": None}
    assert claim["findings"][1]["estimate"] is None


def test_equal_campaigns_give_equal_bytes(folder: Path, tmp_path: Path) -> None:
    write_report(reproduction_of(RECORDS, [made_claim(), made_claim("stable")]), tmp_path)
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name in names if (folder / name).read_bytes() != (tmp_path / name).read_bytes()] == []


def test_a_campaign_without_any_record_has_a_report(tmp_path: Path) -> None:
    write_report(replace(reproduction_of(), commit=None), tmp_path)
    text = page_in(tmp_path).text
    assert "80 runs are planned: 0 finished, 0 failed, 0 diverged and 80 not run yet." in text
    assert "None has been judged yet." in text
    assert "not run yet: 0, 1, 2" in text
    sheets = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert {"figure-1-from-1", "figure-3-mlp", "figure-4-wgan", "figure-5-noise-dcgan-gan"} <= sheets


def test_a_plan_of_studies_alone_has_a_report(tmp_path: Path) -> None:
    plan = load_plan("wgan")
    distances, optimality = plan.studies[:2]
    small = optimality.model_copy(update={"checkpoints": (0, 2), "evaluation_points": 20, "dimensions": 5})
    plan = plan.model_copy(update={"studies": (small, distances)})
    results = {"optimality": [small.run(seed) for seed in (0, 1)]}
    write_report(reproduction_of(plan=plan, studies=results), tmp_path)
    text = page_in(tmp_path).text
    assert f"{small.title} (2 of 10 seeds)" in text
    assert f"{distances.title} (0 of 10 seeds)" in text
    assert all(statement in text for study in plan.studies for statement in study.claims.values())
    assert all(
        " ".join(finding.sentence.split()) in text for finding in small.summarize(results["optimality"])
    )
    assert small.caption in text
    assert " ".join(THEORY_NOT_TESTED[0].split()) in text
    assert "All experiments" not in text
    assert "srcli reproduce wgan report by" in text
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["study-optimality.png"]
    keys = [claim["key"] for claim in json.loads((tmp_path / "verdicts.json").read_text())["claims"]]
    assert keys == [key for study in plan.studies for key in study.claims]


def test_a_row_has_the_mean_of_the_finished_seeds_with_their_interval() -> None:
    groups = experiment_groups(
        reproduction_of(RECORDS).by_name, {"nearest": {"psnr": np.array([21.0, 22.0])}}
    )
    rows = {row.name: row for group in groups for row in group.rows}
    # 12.706 is Student's 97.5 % point of one degree of freedom; the error of the mean of 20 and 22 is 1.
    assert rows["resnet-gan"].values[:2] == ("21.00 ± 12.71", "20.00 ± 12.71")
    assert rows["resnet-gan"].states == ("finished: 0, 1", "diverged: 2")
    assert (rows["resnet-gan"].critic_updates, rows["resnet-gan"].epochs) == ("500", "12.5 / 2.5")
    assert rows["resnet-gan"].stamp == "width 128-64-48, fp32"
    assert rows["nearest"].values[0] == "21.50"
    assert len(groups[0].rows) == 21


def test_a_plan_without_some_of_the_papers_experiments_still_lists_them() -> None:
    part = PLAN.parts[0]
    few = reproduction_of(plan=PLAN.model_copy(update={"parts": (part,)}))
    rows = experiment_groups(few.by_name, {})[0].rows
    assert [row.states for row in rows if row.name == "resnet-gan"] == [("not in this plan",)]
    assert [row.states for row in rows if row.name == "mlp-gan"] == [("not run yet: 0, 1, 2",)]


def test_a_sheet_shows_the_faces_at_twice_their_size_and_an_empty_row_in_grey() -> None:
    labels = np.random.default_rng(1).integers(0, 256, (5, 64, 64, 3), np.uint8)
    rows = [FaceRow("label", "", labels), FaceRow("WGAN", "", None, "not run yet")]
    sheet = np.asarray(Image.open(BytesIO(face_sheet("", rows))))
    zoomed = np.concatenate(list(labels.repeat(2, axis=1).repeat(2, axis=2)), axis=1)
    left = sheet.shape[1] - 5 * 132
    drawn = np.concatenate([sheet[4:132, left + 132 * i : left + 132 * i + 128] for i in range(5)], axis=1)
    assert np.array_equal(drawn, zoomed)
    assert (sheet[137, left : left + 600] == 236).all()


def test_a_strip_is_taken_apart_and_another_picture_refused() -> None:
    low_res = PAPER.low_res_of(np.random.default_rng(2).integers(0, 256, (3, 64, 64, 3), np.uint8))
    faces = np.concatenate([enlarge_nearest(low_res, PAPER.scale), enlarge_bicubic(low_res, PAPER.scale)])
    assert np.array_equal(split_strip(strip_of(faces), "a-s0"), faces)
    with pytest.raises(DataError, match="a-s0 is not a row of faces of 64 pixels: it is 40 x 64"):
        split_strip(strip_of(faces[:1, :, :40]), "a-s0")


def test_the_median_is_of_the_runs_that_are_still_there() -> None:
    short = Curve(np.array([1, 2]), np.array([0.0, 0.0]), np.array([1.0, 3.0]))
    long = Curve(np.array([1, 2, 3]), np.zeros(3), np.array([5.0, 5.0, 7.0]))
    median = median_curve([short, long])
    assert median.steps.tolist() == [1, 2, 3]
    assert median.smooth.tolist() == [3.0, 4.0, 7.0]


def test_what_differs_between_runs_is_counted() -> None:
    other = replace(RECORDS[0], made={"versions": {"torch": "8.0"}, "train_faces": 7400})
    assert made_rows([*RECORDS[:2], other]) == [
        ("versions torch", "9.9 (2 of 3 runs); 8.0 (1 of 3 runs)"),
        ("train faces", "7,400"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.12345, "0.123"),
        (0.00123, "0.00123"),
        (-20.06, "−20.1"),
        (1234.5, "1,234"),
        (4.12e-7, "4.12e−7"),
        (np.inf, "∞"),
        (np.nan, "–"),
    ],
)
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_value_without_an_interval_stands_alone() -> None:
    assert in_brackets(Estimate(0.5, np.nan, np.nan)) == "0.500"
    assert in_brackets(None) == "–"
    assert over_seeds([20.0], 2) == "20.00"
    assert over_seeds([], 2) == "–"
