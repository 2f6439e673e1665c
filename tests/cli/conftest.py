"""What the tests of `srcli upscale` share: weights, and a working folder."""

from pathlib import Path

import pytest
import torch
from tiny_experiments import small_experiment
from upscale_command import draw

from srcli.data.task import PAPER
from srcli.runs.checkpoints import write_weights


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained weight file, labelled step 7, for every kind of generator."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    for name in ("residual", "resnet", "dcgan", "mlp", "noise"):
        experiment = small_experiment(generator=name)
        write_weights(folder / f"{name}.safetensors", experiment.generator.build(PAPER), experiment, 7)
    return folder


@pytest.fixture
def resnet(weights: Path) -> Path:
    return weights / "resnet.safetensors"


@pytest.fixture
def residual(weights: Path) -> Path:
    return weights / "residual.safetensors"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pictures(folder: Path) -> Path:
    """A working folder with a picture, a training-sized picture, and two files that are not pictures."""
    draw("a.png", size=(30, 20))
    draw("face.png")
    (folder / "empty.png").touch()
    (folder / "text.jpg").write_text("not a picture")
    return folder
