"""Tasks: sizes that follow from a preset's lines, all the way from stored faces to enlarged pictures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_experiments import PRESETS, small_dataset
from typer.testing import CliRunner

from srcli.cli.main import app
from srcli.data.augmentation import Augmentation
from srcli.data.batches import TrainingBatches
from srcli.data.task import PAPER, Task
from srcli.drawn_faces.faces import draw_faces
from srcli.errors import CheckpointError, DataError, ExperimentError
from srcli.experiment.loading import load_experiment
from srcli.models.dcgan import DcganCritic, DcganGenerator
from srcli.models.layers import initialize_he
from srcli.models.mlp import MlpCritic, MlpGenerator
from srcli.models.residual import ResidualGenerator
from srcli.models.resnet import ResnetGenerator
from srcli.models.srez import SrezCritic
from srcli.runs.checkpoints import write_weights
from srcli.training.state import build_state, start_from

DCGAN = DcganGenerator(architecture="dcgan", width=4)


def srcli(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_a_preset_without_a_task_has_the_papers() -> None:
    experiment = load_experiment(PRESETS / "dcgan-wgangp.yaml")
    assert experiment.task == PAPER == Task(scale=4, label_size=64, face_size=72)
    assert (PAPER.input_size, PAPER.doublings, PAPER.halvings) == (16, 2, 4)


def test_stored_faces_and_windows_follow_from_the_labels_size() -> None:
    experiment = load_experiment(PRESETS / "dcgan-wgangp.yaml", ["task.label_size=32", "task.scale=2"])
    assert experiment.task == Task(scale=2, label_size=32, face_size=36)
    assert experiment.augmentation.windows == (32, 32)


def test_labels_are_the_centre_of_faces_and_inputs_their_average() -> None:
    task = Task(scale=3, label_size=48, face_size=54)
    faces = np.random.default_rng(0).integers(0, 256, (2, 54, 54, 3), np.uint8)
    labels = task.centre_window(faces)
    assert np.array_equal(labels, faces[:, 3:51, 3:51])
    means = labels.reshape(2, 16, 3, 16, 3, 3).mean((2, 4))
    assert np.array_equal(task.low_res_of(labels), np.floor(means + 0.5))
    assert np.array_equal(task.centre_window(faces.repeat(2, axis=1).repeat(2, axis=2)), labels)
    with pytest.raises(DataError, match="faces of 53 pixels are too small for labels of 48"):
        task.centre_window(faces[:, :53, :53])


@pytest.mark.parametrize(
    ("preset", "overrides", "told"),
    [
        ("srez-resnet-gan", ["task.scale=8"], "generator.architecture: srez enlarges four times"),
        ("resnet-gan", ["task.scale=8"], "generator.widths: task.scale 8 needs 4, one for each size, not 3"),
        ("faces", ["task.scale=3", "task.label_size=96"], "generator.architecture: it enlarges by doubling"),
        ("dcgan-gan", ["task.label_size=72"], "generator.architecture: inputs should be a multiple of 4"),
        ("resnet-gan", ["task.label_size=100"], "critic.architecture: it halves labels 4 times"),
        ("noise-dcgan-gan", ["task.label_size=100"], "generator.architecture: it halves labels 4 times"),
        ("mlp-gan", ["task.label_size=66"], "task: label_size should be a multiple of scale"),
        ("mlp-gan", ["task.face_size=60"], "task: face_size should be at least label_size"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_made(preset: str, overrides: list[str], told: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        load_experiment(PRESETS / f"{preset}.yaml", overrides)
    assert told in str(caught.value)


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
@pytest.mark.parametrize("architecture", ["dcgan", "resnet", "mlp", "residual", "noise"])
def test_networks_are_of_the_tasks_size(architecture: str, scale: int) -> None:
    task = Task(scale=scale, label_size=128, face_size=144)
    settings: Any = {
        "dcgan": DCGAN,
        "resnet": ResnetGenerator(architecture="resnet", widths=(4,) * (task.doublings + 1)),
        "mlp": MlpGenerator(architecture="mlp", width=8),
        "residual": ResidualGenerator(architecture="residual", width=4, blocks=1),
        "noise": DcganGenerator(architecture="dcgan", width=4, input="noise"),
    }[architecture]
    assert settings.mistakes(task) == []
    side = task.input_size
    inputs = torch.randn(2, 128) if architecture == "noise" else torch.randn(2, 3, side, side)
    outputs = settings.build(task)(inputs)
    assert outputs.shape == (2, 3, 128, 128)
    assert settings.sizes(task).scale == scale
    for critic in (
        DcganCritic(architecture="dcgan", width=4),
        MlpCritic(architecture="mlp", width=8),
        SrezCritic(architecture="srez", width=4),
    ):
        assert critic.mistakes(task) == []
        assert critic.build(task)(outputs).shape == (2,)


@pytest.mark.parametrize("scale", [2, 16])
def test_no_pixel_beyond_the_stated_context_has_influence_at_other_scales(scale: int) -> None:
    task = Task(scale=scale, label_size=256, face_size=288)
    for settings in (
        DCGAN,
        ResnetGenerator(architecture="resnet", widths=(4,) * (task.doublings + 1)),
        ResidualGenerator(architecture="residual", width=4, blocks=1),
    ):
        network, sizes = settings.build(task).eval(), settings.sizes(task)
        initialize_he(network)
        for pixel in range(24, 24 + sizes.size_multiple):
            pixels = torch.randn(1, 3, 48, 48, requires_grad=True)
            network(pixels)[0, :, scale * pixel : scale * (pixel + 1)].sum().backward()
            assert pixels.grad is not None
            touched = pixels.grad.abs().sum((0, 1, 3)).nonzero()
            assert max(pixel - int(touched.min()), int(touched.max()) - pixel) <= sizes.context


def test_faces_that_are_smaller_than_labels_are_not_trained_on() -> None:
    windows = Augmentation(windows=(128, 128))
    task = Task(scale=8, label_size=128, face_size=144)
    with pytest.raises(DataError, match="faces of 72 pixels, too small for labels of 128"):
        TrainingBatches(small_dataset(), windows, 1, 0, task=task)


def test_a_generator_of_another_task_starts_no_run(tmp_path: Path) -> None:
    overrides = ["generator.width=4", "critic.width=4", "training.batch_size=2"]
    source = load_experiment(PRESETS / "mlp-gan.yaml", overrides)
    write_weights(tmp_path / "a.safetensors", source.generator.build(PAPER), source, 1)
    other = load_experiment(PRESETS / "mlp-gan.yaml", [*overrides, "task.scale=8"])
    with pytest.raises(CheckpointError, match=r"makes 16x16 to 64x64, of faces of 72 pixels"):
        start_from(build_state(other, torch.device("cpu")), tmp_path / "a.safetensors")


def test_drawn_faces_of_twice_the_size_are_the_same_faces() -> None:
    small, large = draw_faces(8, 3), draw_faces(8, 3, 144)
    means = large.reshape(8, 72, 2, 72, 2, 3).mean((2, 4))
    assert large.shape == (8, 144, 144, 3)
    assert np.abs(means - small).mean() < 3


@pytest.mark.long
def test_a_preset_of_another_task_is_trained_exported_used_and_compared(tmp_path: Path) -> None:
    """16x16 to 128x128, on faces that the command draws itself."""
    run = tmp_path / "run"
    small = ["generator.width=4", "critic.width=4", "training.steps=2", "training.batch_size=4"]
    sets = [part for setting in [*small, "training.evaluate_faces=4"] for part in ("--set", setting)]
    code, _, told = srcli("train", "--preset", "dcgan-wgangp-x8", "--out", run, "--device", "cpu", *sets)
    assert code == 0, told
    with Image.open(next((run / "samples").glob("*.png"))) as samples:
        assert samples.height >= 4 * 128
    model = tmp_path / "x8.onnx"
    assert srcli("export", run, "--out", model)[0] == 0
    picture = tmp_path / "face.png"
    Image.fromarray(draw_faces(1, 0)[0, :20, :24]).save(picture)
    code, _, told = srcli("upscale", picture, "--model", model, "--out", tmp_path / "large.png")
    assert code == 0, told
    with Image.open(tmp_path / "large.png") as large:
        assert large.size == (8 * 24, 8 * 20)
    out = tmp_path / "compared"
    code, _, told = srcli("compare", run, model, "--limit", "4", "--out", out, "--device", "cpu")
    assert code == 0, told
    bicubic = json.loads((out / "metrics.json").read_text())["enlarged"][1]
    assert bicubic["psnr"]["mean"] > 15
    assert "the 16x16 input, the bottom row the 128x128 label" in (out / "report.html").read_text()
    code, _, told = srcli("compare", run, "faces", "--out", tmp_path / "no", "--device", "cpu")
    assert (code, len(told.splitlines())) == (1, 1)
    assert "16x16 to 128x128, of faces of 144 pixels" in told
    assert "Compare models of one task at a time." in told
