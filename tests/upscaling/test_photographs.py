"""`srcli upscale --faces`: the faces of a photograph, one by one or within it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_experiments import small_experiment
from typer.testing import CliRunner

from srcli.cli.main import app
from srcli.data.task import PAPER
from srcli.detection.mtcnn import find_faces
from srcli.experiment.presets import example_faces
from srcli.generators.loading import load_generator
from srcli.pictures.pixels import Pixels
from srcli.pictures.resize import enlarge_bicubic
from srcli.runs.checkpoints import write_weights
from srcli.upscaling.tiles import enlarge_pixels


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small network that differs from bicubic enlargement."""
    torch.manual_seed(0)
    experiment = small_experiment("pixel", "residual")
    network = experiment.generator.build(PAPER)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    path = tmp_path_factory.mktemp("model") / "generator.safetensors"
    write_weights(path, network, experiment, 1)
    return str(path)


@pytest.fixture(scope="module")
def photograph() -> Pixels:
    """Two faces on noise, the second at the right edge."""
    image = Image.fromarray(np.random.default_rng(0).integers(100, 140, (120, 260, 3), np.uint8))
    first, second = example_faces()[:2]
    image.paste(Image.open(first), (30, 20))
    image.paste(Image.open(second), (196, 40))
    return np.asarray(image)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photograph: Pixels) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photograph).save("photo.png")
    Image.new("RGB", (90, 60), "grey").save("empty.png")


def upscale(model: str, *arguments: str) -> tuple[int, list[str], list[str]]:
    """The exit code, and the lines on standard output and standard error."""
    done = CliRunner().invoke(app, ["upscale", "--model", model, *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout.splitlines(), done.stderr.splitlines()


def pixels_of(path: str) -> Pixels:
    return np.asarray(Image.open(path))


def test_crops_are_the_squares_about_the_faces_enlarged(model: str, photograph: Pixels) -> None:
    code, records, _ = upscale(model, "photo.png", "--faces", "crops", "--json")
    assert code == 0
    faces = find_faces(photograph, 24)
    assert len(records) == len(faces) == 2
    for number, (line, face) in enumerate(zip(records, faces, strict=True), 1):
        record = json.loads(line)
        assert record["output"] == f"photo_x4-face{number}.png"
        (found,) = record["faces"]
        assert found["box"] == pytest.approx([face.left, face.top, face.right, face.bottom], abs=0.06)
        assert found["score"] == pytest.approx(face.score, abs=1e-4)
        half, x, y = face.size / 1.2, (face.left + face.right) / 2, (face.top + face.bottom) / 2
        top, left = max(round(y - half), 0), max(round(x - half), 0)
        window = photograph[top : min(round(y + half), 120), left : min(round(x + half), 260)]
        assert (record["width"], record["height"]) == (window.shape[1], window.shape[0])
        expected = enlarge_pixels(window, load_generator(model))
        assert np.array_equal(pixels_of(record["output"]), expected)


def test_pasted_faces_are_those_of_the_network_and_the_rest_is_bicubic(
    model: str, photograph: Pixels
) -> None:
    code, (path,), _ = upscale(model, "photo.png", "--faces", "paste", "--out", "big.png")
    assert (code, path) == (0, "big.png")
    enlarged = pixels_of(path).astype(int)
    (bicubic,) = enlarge_bicubic(photograph[None], 4).astype(int)
    inside = np.zeros(enlarged.shape[:2], bool)
    for face in find_faces(photograph, 24):
        half, x, y = face.size / 1.2, (face.left + face.right) / 2, (face.top + face.bottom) / 2
        top, bottom, left, right = (max(round(edge), 0) for edge in (y - half, y + half, x - half, x + half))
        bottom, right = min(bottom, 120), min(right, 260)
        inside[4 * top : 4 * bottom, 4 * left : 4 * right] = True
        of_network = enlarge_pixels(photograph[top:bottom, left:right], load_generator(model)).astype(int)
        core = slice(4 * (bottom - top) // 4, 4 * (bottom - top) * 3 // 4)
        columns = slice(4 * (right - left) // 4, 4 * (right - left) * 3 // 4)
        window = enlarged[4 * top : 4 * bottom, 4 * left : 4 * right]
        assert np.array_equal(window[core, columns], of_network[core, columns])
        assert not np.array_equal(window, of_network)
        if right == 260:  # at the photograph's own edge, nothing is blended
            assert np.array_equal(window[core, -1], of_network[core, -1])
    assert np.array_equal(enlarged[~inside], bicubic[~inside])
    assert 0.1 < inside.mean() < 0.7


def test_without_a_face_nothing_is_written_and_the_exit_code_is_4(model: str) -> None:
    code, printed, said = upscale(model, "empty.png", "--faces", "paste")
    assert (code, printed) == (4, [])
    assert said == [
        "error: empty.png: no face of 24 pixels or more found. Lower --minimum-face, or leave out --faces to"
        " enlarge the whole picture."
    ]
    assert not list(Path().glob("*x4*"))


def test_other_photographs_go_on_when_one_has_no_face(model: str) -> None:
    code, printed, _ = upscale(model, "empty.png", "photo.png", "--faces", "paste", "--out", "big/")
    assert (code, printed) == (4, ["big/photo_x4.png"])


def test_a_face_larger_than_all_of_the_photograph_is_asked_for(model: str) -> None:
    code, _, (said,) = upscale(model, "photo.png", "--faces", "crops", "--minimum-face", "100")
    assert code == 4
    assert "no face of 100 pixels or more found" in said


def test_what_to_do_with_crops_that_are_there_is_the_users_choice(model: str) -> None:
    Path("photo_x4-face1.png").write_bytes(b"mine")
    code, printed, said = upscale(model, "photo.png", "--faces", "crops")
    assert (code, printed) == (4, ["photo_x4-face2.png"])
    assert said[0].startswith("error: photo_x4-face1.png already exists")
    code, printed, said = upscale(model, "photo.png", "--faces", "crops", "--on-exist", "skip")
    assert (code, printed) == (0, [])
    assert said == [f"photo_x4-face{number}.png already exists, skipped" for number in (1, 2)]
    code, printed, _ = upscale(model, "photo.png", "--faces", "crops", "--on-exist", "rename")
    assert (code, printed) == (0, ["photo_x4-face1-2.png", "photo_x4-face2-2.png"])
    assert Path("photo_x4-face1.png").read_bytes() == b"mine"
    code, printed, _ = upscale(model, "photo.png", "--faces", "crops", "--on-exist", "overwrite")
    assert (code, printed) == (0, ["photo_x4-face1.png", "photo_x4-face2.png"])
    assert np.array_equal(pixels_of("photo_x4-face1.png"), pixels_of("photo_x4-face1-2.png"))


def test_crops_of_standard_input_need_a_name(model: str) -> None:
    code, _, said = upscale(model, "-", "--faces", "crops")
    assert code == 2
    assert "crops are files; give --out FILE" in " ".join(said)


def test_what_a_photograph_has_suffered_is_told_once_for_all_of_its_faces(model: str) -> None:
    Image.open("photo.png").save("photo.jpg", quality=60)
    code, records, lines = upscale(model, "photo.jpg", "--faces", "crops", "--json")
    assert (code, len(records)) == (0, 2)
    assert [json.loads(record)["suffered"]["jpeg_quality"] for record in records] == [60, 60]
    assert [line for line in lines if "JPEG" in line] == [
        "photo.jpg: a JPEG of quality about 60; small-residual-pixel was trained on exact averages and"
        " sharpens JPEG blocks. A less compressed original does better."
    ]
