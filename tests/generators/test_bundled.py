"""The bundled models: their files are those released, and they do their job."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from srcli.data.task import PAPER
from srcli.errors import CheckpointError
from srcli.experiment.loading import load_experiment
from srcli.experiment.presets import preset_path
from srcli.experiment.schema import Experiment
from srcli.generators import bundled
from srcli.generators.bundled import BUNDLED, read_bundled, weights_folder
from srcli.generators.description import Description
from srcli.generators.loading import load_generator
from srcli.generators.on_onnx import METADATA_KEY
from srcli.metrics.measures import consistency, psnr
from srcli.pictures.pixels import from_network, to_network
from srcli.pictures.resize import enlarge_bicubic

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_model_is_the_file_that_was_released(name: str) -> None:
    content = (weights_folder() / f"{name}.onnx").read_bytes()
    assert hashlib.sha256(content).hexdigest() == BUNDLED[name] == load_generator(name).description.sha256
    assert name in (weights_folder() / f"{name}.md").read_text(encoding="utf-8")


def test_the_weights_are_small_enough_to_ship() -> None:
    sizes = {path.name: path.stat().st_size for path in weights_folder().glob("*.onnx")}
    assert sum(size for name, size in sizes.items() if name.startswith("faces")) < 12_000_000
    assert sum(size for name, size in sizes.items() if name.startswith("mtcnn")) < 2_000_000


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_model_was_trained_by_the_preset_of_its_name(name: str) -> None:
    metadata = onnx.load(weights_folder() / f"{name}.onnx").metadata_props
    described = Description.model_validate_json({item.key: item.value for item in metadata}[METADATA_KEY])
    preset = load_experiment(preset_path(name))
    assert Experiment.model_validate(described.experiment) == preset
    assert described.step == preset.training.steps


def test_a_file_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray((weights_folder() / "faces.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "faces.onnx").write_bytes(content)
    monkeypatch.setattr(bundled, "weights_folder", lambda: tmp_path)
    with pytest.raises(CheckpointError, match=r"faces\.onnx is not the file that srcli came with"):
        read_bundled("faces")
    with pytest.raises(CheckpointError, match=r"faces-faithful\.onnx cannot be read: No such file"):
        read_bundled("faces-faithful")


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_model_is_truer_than_bicubic_on_a_picture_it_never_saw(name: str) -> None:
    """A disc with a soft edge: nothing to learn by heart, but an edge that bicubic blurs."""
    rows, columns = np.mgrid[:128, :128]
    disc = np.clip(40.5 - np.hypot(rows - 63.5, columns - 60.0), 0, 1)[..., None]
    label = (disc * [200.0, 150.0, 120.0] + (1 - disc) * [40.0, 60.0, 90.0] + 0.5).astype(np.uint8)[None]
    low_res = PAPER.low_res_of(label)
    enlarged = from_network(load_generator(name).enlarge(to_network(low_res)))
    better = psnr(enlarged / 255, label / 255) - psnr(
        enlarge_bicubic(low_res, PAPER.scale) / 255, label / 255
    )
    assert better.item() > 1.0
    assert consistency(enlarged / 255, low_res / 255).item() < 0.006


def test_upscale_just_works(tmp_path: Path) -> None:
    (tmp_path / "face.png").write_bytes(EXAMPLE.read_bytes())
    command = [sys.executable, "-m", "srcli", "upscale", "face.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("face_x4.png\n", "")
    with Image.open(EXAMPLE) as before, Image.open(tmp_path / "face_x4.png") as after:
        assert after.size == (4 * before.width, 4 * before.height)
        assert after.info["srcli:model"].startswith("faces, step ")
        reduced = after.convert("RGB").reduce(4)
        difference = np.abs(np.asarray(reduced, float) - np.asarray(before.convert("RGB"), float))
    assert difference.mean() < 2.5
