"""`srcli upscale` says once what inputs suffer that their model was not trained on, and what to do."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pixels import noise, soft
from tiny_experiments import small_experiment
from upscale_command import upscale

from srcli.data.task import PAPER
from srcli.experiment.schema import Experiment
from srcli.runs.checkpoints import write_weights

FACES = Path(__file__).parents[2] / "examples" / "faces"

OF_FACES = "faces was trained on exact averages and"
DO_LESS = "--model faces-faithful does so less."


def save(name: str, **options: Any) -> None:
    Image.fromarray(soft(20, 24)).save(name, **options)


def save_noisy(name: str, sigma: float) -> None:
    values = 64 + soft(20, 24) / 2 + np.random.default_rng(1).normal(0, sigma, (20, 24, 3))
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(name)


def model(**augmentation: Any) -> str:
    """The file of an untrained model of an experiment with this augmentation."""
    settings = small_experiment(generator="compact").model_dump(mode="json")
    settings["augmentation"].update(augmentation)
    experiment = Experiment.model_validate(settings)
    write_weights(Path("m.safetensors"), experiment.generator.build(PAPER), experiment, 1)
    return "m.safetensors"


@pytest.mark.usefixtures("folder")
def test_a_jpeg_is_told_with_its_quality_and_what_to_do() -> None:
    save("photo.jpg", quality=60)
    expected = f"photo.jpg: a JPEG of quality about 60; {OF_FACES} sharpens JPEG blocks. {DO_LESS}"
    assert upscale("photo.jpg") == (0, "photo_x4.png\n", [expected])
    _, _, lines = upscale("photo.jpg", "--model", "faces-faithful", "--on-exist", "overwrite")
    assert lines == [
        "photo.jpg: a JPEG of quality about 60; faces-faithful was trained on exact averages and sharpens"
        " JPEG blocks. A less compressed original does better."
    ]


@pytest.mark.usefixtures("folder")
def test_a_run_tells_it_once_with_the_number_of_pictures() -> None:
    save("a.jpg", quality=85)
    save("b.jpg", quality=40, progressive=True)
    Image.fromarray(soft(20, 24)).convert("CMYK").save("c.jpg", quality=75)
    Image.fromarray(soft(20, 24)).convert("L").save("d.jpg", quality=75)
    save("e.jpg", quality=90)
    save("f.png")
    save_noisy("g.png", 10)
    save_noisy("h.png", 12)
    code, output, lines = upscale(*(f"{name}.jpg" for name in "abcde"), "f.png", "g.png", "h.png")
    assert (code, len(output.splitlines())) == (0, 8)
    assert lines[0] == (
        f"a.jpg and 3 more: JPEGs of quality about 40 to 85; {OF_FACES} sharpens JPEG blocks. {DO_LESS}"
    )
    assert lines[1].startswith("g.png and 1 more: noise of about 1")
    assert lines[1].endswith(f" of 255 levels; {OF_FACES} amplifies noise. {DO_LESS}")
    assert len(lines) == 2


@pytest.mark.usefixtures("folder")
def test_exact_averages_are_told_nothing() -> None:
    for number, path in enumerate(sorted(FACES.glob("*.png"))):
        with Image.open(path) as face:
            face.convert("RGB").reduce(4).save(f"{number}.png")
    assert upscale(*sorted(path.name for path in Path().iterdir()))[2] == []


@pytest.mark.usefixtures("folder")
def test_json_holds_what_was_measured_and_quiet_says_nothing() -> None:
    save("a.jpg", quality=60)
    save_noisy("b.png", 10)
    save("c.png")
    code, output, lines = upscale("a.jpg", "b.png", "c.png", "--json", "--quiet")
    assert (code, lines) == (0, [])
    a, b, c = (json.loads(line)["suffered"] for line in output.splitlines())
    assert (a, c) == ({"jpeg_quality": 60}, None)
    assert b == {"noise": pytest.approx(10, rel=0.25)}


@pytest.mark.usefixtures("folder")
def test_quiet_keeps_errors() -> None:
    save("a.jpg", quality=60)
    Path("b.png").touch()
    Image.fromarray(noise(16, 16)).save("a_x4.png")
    code, _, lines = upscale("a.jpg", "b.png", "--quiet", "--on-exist", "skip")
    assert (code, lines) == (4, ["error: b.png: it is empty"])


@pytest.mark.usefixtures("folder")
def test_a_model_that_was_trained_on_degraded_inputs_copes_with_these() -> None:
    save("60.jpg", quality=60)
    save_noisy("8.png", 8)
    robust = model(degradation={})
    assert upscale("60.jpg", "8.png", "--model", robust)[2] == []
    save("30.jpg", quality=30)
    save_noisy("20.png", 20)
    _, _, lines = upscale("30.jpg", "20.png", "--model", robust)
    name = "small-compact-wgan-gp was trained"
    assert lines == [
        f"30.jpg: a JPEG of quality about 30; {name} on JPEGs of quality 50 and more."
        " A less compressed original does better.",
        f"20.png: noise of about {noise_of('20.png'):.0f} of 255 levels; {name} on noise of up"
        " to 10 levels. A less noisy original does better.",
    ]


def noise_of(name: str) -> float:
    record = json.loads(upscale(name, "--json", "--quiet", "--on-exist", "overwrite")[1])
    return float(record["suffered"]["noise"])


@pytest.mark.usefixtures("folder")
def test_a_model_that_saw_no_jpegs_or_no_noise_says_so() -> None:
    save("60.jpg", quality=60)
    save_noisy("8.png", 8)
    without = {"jpeg": {"probability": 0}, "noise": {"probability": 0}, "shot_noise": {"probability": 0}}
    _, _, lines = upscale("60.jpg", "8.png", "--model", model(degradation=without))
    assert "was trained without JPEGs. A less" in lines[0]
    assert "was trained without noise. A less" in lines[1]
    _, _, lines = upscale("8.png", "--model", model(input_noise=0.05), "--on-exist", "overwrite")
    assert lines == []
