"""`import srcli`: what the documents show, and what the functions promise."""

import doctest
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pixels import noise
from tiny_experiments import PRESETS, logged_without_clock, small_experiment
from warm import Srcli

from srcli import load_experiment, load_generator, read_run, train, upscale
from srcli.errors import CheckpointError, ExperimentError, RunError, UserError
from srcli.experiment.presets import example_faces
from srcli.generators import loading as generators
from srcli.runs.directory import RunDirectory
from srcli.upscaling.tiles import enlarge_pixels

PAGE = PRESETS.parent / "docs" / "python.md"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.long
def test_the_page_shows_what_happens() -> None:
    face = np.asarray(Image.open(example_faces()[0])).reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
    Image.fromarray(face.round().astype(np.uint8)).save("face.png")
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, tried > 10) == (0, True)


@pytest.mark.long
def test_the_notebook_runs_from_start_to_end() -> None:
    notebook = json.loads((PRESETS.parent / "examples" / "first_steps.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(cells)],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "pdf"},  # which shows nothing, and says nothing of it
    )
    assert done.returncode == 0, done.stderr
    names = [line.partition(" PSNR ")[0].strip() for line in done.stdout.splitlines()]
    assert names[:2] == ["nearest", "bicubic"]
    assert names[3:] == ["smoke, step 40", "label"]


def test_importing_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'PIL', 'pydantic', 'onnxruntime'}"
    code = "import sys, srcli; assert 'upscale' in dir(srcli); "
    code += f"sys.exit(str(sorted({heavy} & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "[]\n"


def test_there_are_no_other_names() -> None:
    with pytest.raises(ImportError, match="cannot import name 'enlarge'"):
        from srcli import enlarge  # noqa: F401


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_pictures_are_enlarged_as_the_command_does(mode: str, srcli: Srcli) -> None:
    Image.fromarray(noise(18, 21)).convert(mode).save("a.png")
    done = srcli("upscale", "a.png", "--model", "faces-faithful")
    assert done.returncode == 0, done.stderr
    from_python = upscale("a.png", "faces-faithful")
    of_command = Image.open("a_x4.png")
    assert from_python.mode == of_command.mode
    assert np.array_equal(np.asarray(from_python), np.asarray(of_command))


def test_an_open_picture_is_enlarged_upright_and_stays_as_it_is() -> None:
    pixels = noise(12, 20)
    exif = Image.Exif()
    exif[274] = 6  # to be turned by a quarter
    Image.fromarray(pixels).save("turned.png", exif=exif)
    image = Image.open("turned.png")
    enlarged = upscale(image, "faces-faithful")
    expected = enlarge_pixels(np.rot90(pixels, -1), generators.load_generator("faces-faithful"))
    assert np.array_equal(np.asarray(enlarged), expected)
    assert np.array_equal(np.asarray(image), pixels)


def test_several_pictures_are_a_list() -> None:
    image = Image.fromarray(noise(9, 9))
    assert [one.size for one in upscale([image, image.resize((8, 5))], "faces")] == [(36, 36), (32, 20)]


def test_a_run_trained_from_python_is_the_commands(tmp_path: Path, srcli: Srcli) -> None:
    settings = {"training.steps": 3, "training.evaluate_faces": 4, "augmentation.horizontal_flip": False}
    run = train(load_experiment("smoke", settings), out="of-python")
    overrides = [
        part for name, value in settings.items() for part in ("--set", f"{name}={str(value).lower()}")
    ]
    done = srcli("train", "--preset", "smoke", "--out", "of-command", *overrides)
    assert done.returncode == 0, done.stderr
    of_python, of_command = (RunDirectory(tmp_path / name) for name in ("of-python", "of-command"))
    assert logged_without_clock(of_python) == logged_without_clock(of_command)
    assert run.record["command"] == ["srcli.train"]
    assert run.metrics["step"].tolist() == [1, 2, 3]
    assert np.isnan(run.metrics["psnr"]).tolist() == [True, True, False]
    assert run.generator().upscale(Image.new("RGB", (16, 16))).size == (64, 64)


def test_settings_are_validated_with_their_names() -> None:
    with pytest.raises(ExperimentError, match=r"training\.steps"):
        load_experiment("mlp-wgangp", {"training.steps": 0})
    with pytest.raises(ExperimentError, match="Did you mean --preset mlp-wgangp"):
        load_experiment("mlp-wgangpp")
    with pytest.raises(UserError, match="settings go with a name or a path"):
        train(small_experiment(), settings={"training.steps": 1})


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(CheckpointError, match="there is no model nothing"):
        load_generator("nothing")
    with pytest.raises(RunError, match="nothing is not a run"):
        read_run("nothing")


def test_generators_do_what_they_were_trained_for() -> None:
    with pytest.raises(UserError, match="enlarges pictures and draws none from noise"):
        load_generator("faces").sample(2)
