"""Comparing models: the faces, the figures, the files, and the command."""

import base64
import hashlib
import io
import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_experiments import small_dataset, small_experiment
from typer.testing import CliRunner
from warm import Srcli

from srcli.cli.main import app
from srcli.comparison import compare as comparing
from srcli.comparison.compare import Comparison
from srcli.comparison.panel import panel, sample_sheet
from srcli.comparison.results import check_folder, metrics_record, write_comparison
from srcli.comparison.test_faces import Faces, faces_of_datasets, faces_of_folder
from srcli.data.dataset import DATASET_VERSION, ranges_of_indices
from srcli.data.task import PAPER
from srcli.drawn_faces.faces import draw_faces
from srcli.errors import CheckpointError, DataError, ImageError, UserError
from srcli.experiment.loading import load_experiment
from srcli.experiment.presets import preset_path
from srcli.generators.on_torch import load_torch_generator
from srcli.metrics import measures
from srcli.metrics.table import IMAGE_METRICS, SET_METRICS
from srcli.packing.pack import Packing, pack
from srcli.packing.sources import open_source
from srcli.pictures.pixels import from_network, to_network, to_uint8
from srcli.pictures.resize import area_average, enlarge_bicubic
from srcli.runs.checkpoints import write_weights
from srcli.runs.directory import create_run
from srcli.training.loop import StopRequest, train
from srcli.training.state import build_state


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Untrained weight files: one network twice, another, and one from noise."""
    folder = tmp_path_factory.mktemp("weights")
    smoke, noise = (load_experiment(preset_path(name), []) for name in ("smoke", "noise-dcgan-gan"))
    torch.manual_seed(1)
    first, second = smoke.generator.build(PAPER), smoke.generator.build(PAPER)
    files = {
        name: folder / name / "generator.safetensors"
        for name in ("first", "second", "copy & <b>", "noise", "bad")
    }
    for name, network, step in (("first", first, 100), ("second", second, 200), ("copy & <b>", first, 100)):
        write_weights(files[name], network, smoke, step)
    write_weights(files["noise"], noise.generator.build(PAPER), noise, 7)
    for parameter in second.parameters():
        parameter.data.fill_(float("nan"))
    write_weights(files["bad"], second, smoke, 300)
    return files


@pytest.fixture(scope="module")
def faces() -> Faces:
    """More faces than one batch."""
    return Faces(PAPER.centre_window(draw_faces(comparing.BATCH + 10, seed=5)), "drawn <here>", "0" * 64)


@pytest.fixture(scope="module")
def comparison(weights: dict[str, Path], faces: Faces) -> Comparison:
    sources = [str(weights[name]) for name in ("first", "noise", "copy & <b>", "second")]
    return comparing.compare(comparing.load_models(sources, "cpu"), faces)


@pytest.fixture(scope="module")
def written(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison(tmp_path_factory.mktemp("parent") / "out", comparison).parent


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, face in enumerate(draw_faces(4, seed=9)):
        Image.fromarray(face).resize((96, 120)).save(folder / f"face-{number}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


class Page(HTMLParser):
    """Collects the tags, the texts and the pictures of a page, and checks that tags are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_rows_are_the_baselines_the_models_and_the_labels(comparison: Comparison) -> None:
    names = [row.name for row in comparison.rows]
    assert names == [
        "nearest",
        "bicubic",
        "smoke, step 100 (first/generator.safetensors)",
        "smoke, step 100 (copy & <b>/generator.safetensors)",
        "smoke, step 200",
        "label",
    ]


def test_models_are_measured_on_their_8_bit_outputs(
    comparison: Comparison, weights: dict[str, Path], faces: Faces
) -> None:
    inputs = PAPER.low_res_of(faces.labels)
    outputs = from_network(load_torch_generator(weights["second"]).enlarge(to_network(inputs)))
    row = comparison.rows[4]
    np.testing.assert_array_equal(row.shown, outputs[:10])
    values = measures.psnr(outputs / 255, faces.labels / 255)
    assert row.estimates["psnr"].mean == pytest.approx(values.mean())
    assert (row.estimates["psnr"].low, row.estimates["psnr"].high) == pytest.approx(
        measures.bootstrap_interval(values)
    )
    expected = measures.consistency(outputs / 255, inputs / 255).mean()
    assert row.estimates["consistency"].mean == pytest.approx(expected)


def test_the_baselines_are_measured_on_all_faces(comparison: Comparison, faces: Faces) -> None:
    nearest, bicubic = comparison.rows[:2]
    assert nearest.estimates["consistency"].mean == pytest.approx(0, abs=1e-12)
    enlarged = enlarge_bicubic(PAPER.low_res_of(faces.labels), PAPER.scale) / 255
    labels = faces.labels / 255
    assert bicubic.estimates["ssim"].mean == pytest.approx(measures.ssim(enlarged, labels).mean())
    assert bicubic.estimates["l1_high"].mean == pytest.approx(measures.l1(enlarged, labels).mean())
    assert bicubic.estimates["sharpness"].mean == pytest.approx(measures.sharpness(enlarged, labels).mean())


def test_labels_are_perfect_but_for_the_rounding_of_the_inputs(comparison: Comparison) -> None:
    means = {key: value.mean for key, value in comparison.rows[-1].estimates.items()}
    consistency = means.pop("consistency")
    assert 0 < consistency < 0.5 / 255
    assert means == pytest.approx(
        {"psnr": float("inf"), "ssim": 1, "l1_high": 0, "sharpness": 1, "colour": 0}
    )


def test_samples_stand_beside_as_many_test_faces(
    comparison: Comparison, weights: dict[str, Path], faces: Faces
) -> None:
    drawn, real = comparison.sample_sets
    assert (drawn.name, real.name) == ("noise-dcgan-gan, step 7", "test faces")
    assert drawn.count == real.count == len(faces.labels)
    generator = load_torch_generator(weights["noise"])
    samples = from_network(generator.sample(len(faces.labels), comparing.SAMPLE_SEED))
    np.testing.assert_array_equal(drawn.shown, samples)
    for measured, images in ((drawn, samples), (real, faces.labels)):
        expected = measures.diversity(images / 255)
        assert measured.metrics == {
            "diversity": expected.mean_pairwise_distance,
            "duplicates": expected.nearest_duplicate_rate,
        }


def test_models_from_noise_alone_have_no_rows(weights: dict[str, Path], faces: Faces) -> None:
    few = replace(faces, labels=faces.labels[:3])
    compared = comparing.compare(comparing.load_models([str(weights["noise"])], "cpu"), few)
    assert (compared.rows, len(compared.sample_sets)) == ([], 2)


def test_samples_need_two_faces_to_be_compared_with(weights: dict[str, Path], faces: Faces) -> None:
    one = replace(faces, labels=faces.labels[:1])
    with pytest.raises(DataError, match="one test face"):
        comparing.compare(comparing.load_models([str(weights["noise"])], "cpu"), one)


def test_a_model_that_diverged_is_refused(weights: dict[str, Path], faces: Faces) -> None:
    models = comparing.load_models([str(weights["bad"])], "cpu")
    with pytest.raises(CheckpointError, match="no numbers"):
        comparing.compare(models, faces)


def test_a_model_given_twice_is_refused(weights: dict[str, Path]) -> None:
    with pytest.raises(UserError, match="given twice"):
        comparing.load_models([str(weights["first"])] * 2, "cpu")


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there_is_refused(weights: dict[str, Path], device: str) -> None:
    with pytest.raises(UserError, match=f"--device {device} cannot be used"):
        comparing.load_models([str(weights["first"])], device)


def test_a_comparison_is_a_folder_of_pictures_figures_and_a_report(written: Path) -> None:
    names = sorted(path.name for path in written.iterdir())
    assert names == ["metrics.json", "panel.png", "report.html", "samples-1.png", "samples-test-faces.png"]
    assert [path.name for path in written.parent.iterdir()] == ["out"]
    with Image.open(written / "panel.png") as image:
        assert image.height == 6 * 128 + 7 * 4
        assert image.width > 10 * 128
    with Image.open(written / "samples-1.png") as image:
        assert image.size == (8 * 64 + 7 * 2, 8 * 64 + 7 * 2)


def test_the_figures_on_disk_are_strict_json(written: Path, comparison: Comparison) -> None:
    def refuse(name: str) -> NoReturn:
        raise AssertionError(f"{name} is not JSON")

    record: dict[str, Any] = json.loads((written / "metrics.json").read_text(), parse_constant=refuse)
    assert record == metrics_record(comparison)
    assert record["data"] == {
        "source": "drawn <here>",
        "fingerprint": "0" * 64,
        "faces": 60,
        "degradation": None,
    }
    assert record["enlarged"][-1]["psnr"] == {"mean": None, "low": None, "high": None}
    assert record["enlarged"][0]["model"] is None
    model = record["enlarged"][4]["model"]
    assert (model["experiment"], model["step"]) == ("smoke", 200)
    assert model["sha256"] == comparison.models[3].generator.description.sha256
    assert [item["count"] for item in record["samples"]] == [60, 60]
    assert record["samples"][1]["duplicates"] == 0


def test_the_report_stands_alone(written: Path) -> None:
    page = Page((written / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert not {"link", "iframe", "form", "b"} & set(page.tags)
    assert page.tags.count("script") == 1
    policy = next(str(value) for name, value in page.attributes if name == "content" and "src" in str(value))
    script = next(text for text in page.texts if text.startswith('"use strict"'))
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    )
    sources = [str(value) for name, value in page.attributes if name in ("src", "href")]
    files = ("panel.png", "samples-1.png", "samples-test-faces.png")
    assert len(sources) == len(files)
    for source, file in zip(sources, files, strict=True):
        data = base64.b64decode(source.removeprefix("data:image/png;base64,"), validate=True)
        assert data == (written / file).read_bytes()


def test_each_face_has_a_slider_over_the_rows_own_pixels(written: Path, comparison: Comparison) -> None:
    page = Page((written / "report.html").read_text(encoding="utf-8"))
    styles = [str(value) for name, value in page.attributes if name == "style"]
    strips = re.findall(r"--row-(\d+): url\(data:image/png;base64,([^)]*)\)", styles[0])
    assert [int(number) for number, _ in strips] == list(range(6))
    for row, (_, data) in zip(comparison.rows, strips, strict=True):
        with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as strip:
            np.testing.assert_array_equal(np.asarray(strip), np.concatenate(list(row.shown), axis=1))
    # Of a picture ten times as wide as its box, p % shows the tenth that begins at 9 p / 100.
    places = [f"background-position: {100 * face / 9:.4f}% 0" for face in range(10)]
    assert styles[1:] == [place for place in places for _ in ("before", "after")]
    assert page.tags.count("input") == 10
    assert page.tags.count("option") == 2 * 6


def test_the_report_shows_the_curves_it_is_given(comparison: Comparison, tmp_path: Path) -> None:
    report = write_comparison(tmp_path / "out", comparison, {"a <loss>": b"PNG"})
    page = Page(report.read_text(encoding="utf-8"))
    assert ("alt", "a <loss> of the runs against generator steps") in page.attributes
    assert ("src", f"data:image/png;base64,{base64.b64encode(b'PNG').decode()}") in page.attributes


def test_the_report_says_what_was_measured_and_escapes_it(written: Path, comparison: Comparison) -> None:
    page = Page((written / "report.html").read_text(encoding="utf-8"))
    text = "".join(page.texts)
    assert "smoke, step 100 (copy & <b>/generator.safetensors)" in page.texts
    assert "drawn <here>" in text
    assert f"{comparison.rows[1].estimates['psnr'].mean:.2f}" in page.texts
    assert comparison.models[0].generator.description.sha256 in page.texts
    assert page.tags.count("dt") == len(IMAGE_METRICS) + len(SET_METRICS)
    assert page.tags.count("strong") >= 4
    assert "sharpness has no best" in text


def test_no_row_is_marked_for_its_sharpness(written: Path, comparison: Comparison) -> None:
    page = (written / "report.html").read_text(encoding="utf-8")
    marked = re.findall(r"<strong>([^<]*)</strong>", page)
    assert max(f"{row.estimates['ssim'].mean:.3f}" for row in comparison.rows[:-1]) in marked
    for row in comparison.rows:
        mean = f"{row.estimates['sharpness'].mean:.2f}"
        assert f'<td class="n">{mean}<small>' in page
        assert mean not in marked


def test_only_a_new_or_empty_folder_is_written_to(comparison: Comparison, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(UserError):
            check_folder(taken)
    (tmp_path / "empty").mkdir()
    report = write_comparison(tmp_path / "empty", replace(comparison, rows=[]))
    assert report == tmp_path / "empty" / "report.html"
    assert not (tmp_path / "empty" / "panel.png").exists()


def test_nothing_half_written_stays(comparison: Comparison, tmp_path: Path) -> None:
    broken = replace(comparison.rows[0], estimates={})
    with pytest.raises(KeyError):
        write_comparison(tmp_path / "out", replace(comparison, rows=[broken]))
    assert list(tmp_path.iterdir()) == []


def test_a_panel_shows_every_face_at_twice_its_size_right_of_its_caption(faces: Faces) -> None:
    sheet = panel([("input", faces.labels[:2]), ("a caption of very many words " * 20, faces.labels[2:4])])
    assert sheet.shape[0] == 4 + 128 + 4 + 128 + 4
    last = sheet[-4 - 128 : -4, -4 - 128 : -4]
    np.testing.assert_array_equal(last[::2, ::2], faces.labels[3])
    np.testing.assert_array_equal(last[1::2, 1::2], faces.labels[3])
    assert (sheet[:132, : -2 * 128 - 8] < 128).any()  # ink


def test_a_sample_sheet_has_eight_faces_in_a_row(faces: Faces) -> None:
    sheet = sample_sheet(faces.labels[:11])
    assert sheet.shape == (2 * 64 + 2, 8 * 64 + 7 * 2, 3)
    np.testing.assert_array_equal(sheet[66:130, 132:196], faces.labels[10])


def test_labels_of_pictures_are_the_centre_of_the_largest_centred_square(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (144, 181, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    Image.fromarray(pixels[:, :144].transpose(1, 0, 2).copy()).save(tmp_path / "tall.PNG")
    labels = faces_of_folder(tmp_path, None).labels
    # The square of 144 pixels becomes 72, of which the centre 64 are shown: 128 of the picture's.
    for label, box in zip(labels, (pixels[8:136, 8:136].swapaxes(0, 1), pixels[8:136, 26:154]), strict=True):
        difference = label.astype(int) - to_uint8(area_average(box, 2))
        assert np.abs(difference).max() <= 1  # Pillow rounds twice, after the rows and the columns


@pytest.mark.parametrize("size", [(178, 218), (300, 250)], ids=["CelebA", "others"])
def test_pictures_and_the_dataset_packed_of_them_give_the_same_labels(
    size: tuple[int, int], tmp_path: Path
) -> None:
    random, pictures = np.random.default_rng(1), tmp_path / "pictures"
    pictures.mkdir()
    for number in range(20):
        coarse = random.integers(0, 256, (9, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
        picture.save(pictures / f"{number:02d}.{'jpg' if number % 2 else 'png'}")
    packing = Packing("auto", 72, partition=None, holdout=2, max_skipped=0, workers=1)
    pack(open_source(pictures), tmp_path / "dataset", packing)
    held_out = faces_of_datasets([tmp_path / "dataset"], None).labels  # the last two by name
    assert len(held_out) == 2
    assert np.array_equal(faces_of_folder(pictures, None).labels[18:], held_out)


def test_a_folder_is_read_by_name_up_to_the_limit(pictures: Path) -> None:
    everything, some = faces_of_folder(pictures, None), faces_of_folder(pictures, 2)
    assert len(everything.labels) == 4
    np.testing.assert_array_equal(some.labels, everything.labels[:2])
    assert everything.source == str(pictures)
    assert everything.fingerprint != some.fingerprint


def test_a_picture_that_is_too_small_or_damaged_is_named(pictures: Path) -> None:
    Image.new("RGB", (200, 71)).save(pictures / "small.png")
    with pytest.raises(ImageError, match=r"small\.png: 200x71 pixels, smaller than 72"):
        faces_of_folder(pictures, None)
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ImageError, match=r"broken\.jpg"):
        faces_of_folder(pictures, None)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="holds no pictures"):
        faces_of_folder(tmp_path, None)
    with pytest.raises(ImageError, match="is not a folder"):
        faces_of_folder(tmp_path / "missing", None)


def test_the_test_split_of_a_dataset_is_used(tmp_path: Path) -> None:
    faces, splits = draw_faces(6, seed=2), {"train": [0, 2, 4], "validation": [5], "test": [1, 3]}
    np.save(tmp_path / "faces.npy", faces)
    record = {
        "version": DATASET_VERSION,
        "count": 6,
        "source": "elsewhere",
        "fingerprint": "f" * 64,
        "splits": {name: ranges_of_indices(np.array(members)) for name, members in splits.items()},
    }
    (tmp_path / "dataset.json").write_text(json.dumps(record))
    loaded = faces_of_datasets([tmp_path], None)
    np.testing.assert_array_equal(loaded.labels, faces[[1, 3], 4:68, 4:68])
    assert (loaded.source, loaded.fingerprint) == ("elsewhere", "f" * 64)
    assert len(faces_of_datasets([tmp_path], 1).labels) == 1


def test_a_dataset_without_test_faces_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "faces.npy", draw_faces(2, seed=2))
    splits = {"train": "0-1", "validation": "", "test": ""}
    record = {"version": DATASET_VERSION, "count": 2, "source": "", "fingerprint": "", "splits": splits}
    (tmp_path / "dataset.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="has no test faces"):
        faces_of_datasets([tmp_path], None)


def test_the_command_compares_both_kinds_of_model_on_pictures(
    weights: dict[str, Path], pictures: Path, tmp_path: Path, srcli: Srcli
) -> None:
    out = tmp_path / "out"
    models = (weights["first"], weights["noise"])
    arguments = ("compare", *models, "--images", pictures, "--limit", "3", "--out", out)
    done = srcli(*arguments, env={**os.environ, "COLUMNS": "100"})  # so that no name is broken into lines
    assert (done.returncode, done.stdout) == (0, f"{out / 'report.html'}\n"), done.stderr
    assert "smoke, step 100" in done.stderr
    assert "noise-dcgan-gan, step 7" in done.stderr
    assert json.loads((out / "metrics.json").read_text())["data"]["faces"] == 3


@pytest.mark.long
def test_the_command_shows_the_curves_of_runs_and_does_without_a_damaged_log(tmp_path: Path) -> None:
    experiment, cpu = small_experiment("wgan", "mlp", steps=2), torch.device("cpu")
    whole, damaged = (tmp_path / name for name in ("whole", "damaged"))
    for path in (whole, damaged):
        run = create_run(path, experiment.to_yaml(), {})
        train(run, build_state(experiment, cpu), small_dataset(), lambda _: None, StopRequest())
    (damaged / "metrics.jsonl").write_text("[]\n")
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["compare", str(whole), str(damaged), "--limit", "2", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert f"no curves of {damaged}" in done.stderr
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "critic loss of the runs against generator steps" in page


def test_the_command_says_that_it_uses_the_built_in_faces(weights: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["compare", str(weights["first"]), "--limit", "2", "--out", str(out)])
    assert (done.exit_code, done.stdout) == (0, f"{out / 'report.html'}\n")
    assert "the built-in drawn faces" in done.stderr
    assert json.loads((out / "metrics.json").read_text())["data"]["source"] == "built-in"


def test_the_command_takes_data_or_images_but_not_both(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compare", "run", "--data", "a", "--images", "b", "--out", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "not both" in done.stderr


def test_the_command_names_a_model_that_is_not_there_in_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "missing"), "--out", str(tmp_path / "out")])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: there is no model {tmp_path / 'missing'}. ")
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
