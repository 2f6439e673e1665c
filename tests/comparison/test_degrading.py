"""`compare --degrade`: its inputs, its reference for each metric, and its messages."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from tiny_experiments import pack_faces
from typer.testing import CliRunner

from srcli.cli.main import app
from srcli.comparison.compare import compare, load_models
from srcli.comparison.degrading import parse_degradation
from srcli.comparison.results import print_comparison, write_comparison
from srcli.comparison.test_faces import Faces
from srcli.data.task import PAPER
from srcli.drawn_faces.faces import draw_faces
from srcli.errors import UserError
from srcli.metrics import measures
from srcli.pictures.pixels import Pixels, from_network, to_network, to_uint8
from srcli.pictures.resize import area_average, enlarge_bicubic

LABELS = PAPER.centre_window(draw_faces(6, seed=5))


@pytest.fixture
def faces() -> Faces:
    return Faces(LABELS, "drawn", "0" * 64, parse_degradation("jpeg:30"))


def resized(label: Pixels, resampling: Image.Resampling) -> Pixels:
    return np.asarray(Image.fromarray(label).resize((16, 16), resampling))


@pytest.mark.parametrize("kernel", ["bicubic", "bilinear", "lanczos"])
def test_kernels_are_pillows(kernel: str) -> None:
    inputs = parse_degradation(f"kernel:{kernel}").apply(LABELS, 4)
    assert np.array_equal(inputs, [resized(label, Image.Resampling[kernel.upper()]) for label in LABELS])


def test_jpeg_is_what_pillow_saves() -> None:
    for small, face in zip(
        parse_degradation("jpeg:75").apply(LABELS, 4), PAPER.low_res_of(LABELS), strict=True
    ):
        file = io.BytesIO()
        Image.fromarray(face).save(file, "JPEG")  # quality 75 and 4:2:0, if nothing is said
        assert np.abs(small - np.asarray(Image.open(file)).astype(int)).max() <= 2


def test_noise_has_its_sigma_and_is_the_same_each_time_and_in_any_set() -> None:
    grey = np.full((8, 64, 64, 3), 128, np.uint8)
    noisy = parse_degradation("noise:5").apply(grey, 4)
    assert noisy.astype(float).std() == pytest.approx(5, rel=0.05)
    assert np.array_equal(parse_degradation("noise:5").apply(grey[:3], 4), noisy[:3])
    assert not np.array_equal(noisy[0], noisy[1])


def test_blur_is_in_pixels_of_the_input() -> None:
    blurred = ndimage.gaussian_filter(LABELS.astype(float), (0, 6, 6, 0), mode="reflect")
    expected = area_average(to_uint8(blurred), 4)
    assert np.abs(parse_degradation("blur:1.5").apply(LABELS, 4) - expected).max() <= 0.5 + 1e-9


def test_bicubic_and_models_get_the_degraded_input_and_are_measured_against_the_average(
    faces: Faces,
) -> None:
    models = load_models(["faces"], "cpu")
    rows = {row.name: row for row in compare(models, faces).rows}
    inputs = parse_degradation("jpeg:30").apply(LABELS, 4)
    outputs = from_network(models[0].generator.enlarge(to_network(inputs)))
    for name, enlarged in (("bicubic", enlarge_bicubic(inputs, PAPER.scale)), (models[0].name, outputs)):
        assert np.array_equal(rows[name].shown, enlarged)
        figures = {
            "psnr": measures.psnr(enlarged / 255, LABELS / 255),
            "consistency": measures.consistency(enlarged / 255, PAPER.low_res_of(LABELS) / 255),
        }
        for key, values in figures.items():
            assert rows[name].estimates[key].mean == pytest.approx(values.mean())
    assert rows["label"].estimates["consistency"].mean < 0.002
    assert rows["nearest"].estimates["consistency"].mean > 0.01


def test_files_and_terminal_name_the_degradation(
    faces: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compared = compare(load_models(["faces"], "cpu"), faces)
    page = write_comparison(tmp_path / "out", compared).read_text()
    assert "<code>jpeg:30</code>: JPEG of quality 30, colours at half the resolution (4:2:0)" in page
    assert "Consistency is measured against the undegraded average" in page
    assert "Inputs are the 4x4 area averages" not in page
    record = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert record["data"]["degradation"] == "jpeg:30"
    print_comparison(compared)
    assert "6 test faces, inputs degraded by jpeg:30" in capsys.readouterr().err
    exact = compare(load_models(["faces"], "cpu"), replace(faces, degradation=None))
    page = write_comparison(tmp_path / "exact", exact).read_text()
    assert "Inputs are the 4x4 area averages of the labels in 8 bits" in page
    assert "egraded" not in page


def test_the_command_degrades(tmp_path: Path) -> None:
    data = pack_faces(tmp_path)
    for name, options in (("jpeg", ["--degrade", "jpeg:40.0"]), ("again", ["--degrade", "jpeg:40"])):
        arguments = ["compare", "faces", "--data", str(data), "--out", str(tmp_path / name)]
        done = CliRunner().invoke(app, [*arguments, *options])
        assert done.exit_code == 0, done.output
    first, second = ((tmp_path / name / "metrics.json").read_bytes() for name in ("jpeg", "again"))
    assert first == second
    assert json.loads(first)["data"]["degradation"] == "jpeg:40"


WRONG = [
    "",
    "jpeg",
    "jpeg:",
    "jpeg:0",
    "jpeg:101",
    "jpeg:75.5",
    "jpeg:nan",
    "jpeg:75:2",
    "noise:-1",
    "noise:inf",
]


@pytest.mark.parametrize("text", [*WRONG, "blur:0", "blur:5", "kernel", "kernel:area", "mosaic:8"])
def test_other_values_are_answered_with_the_choices(text: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_degradation(text)
    assert str(caught.value) == (
        f"--degrade {text} is no degradation. Give jpeg:1..100 (quality), noise:0..255 (sigma of 255),"
        " blur:0.05..4 (sigma in pixels of the input), or kernel:bicubic|bilinear|lanczos."
    )


def test_models_that_take_no_inputs_refuse(faces: Faces) -> None:
    with pytest.raises(UserError, match="jpeg:30 changes inputs, and these models take none"):
        compare([], faces)
