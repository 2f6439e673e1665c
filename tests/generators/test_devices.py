"""ONNX models on GPUs: by onnxruntime where it can, else by torch, with the same weights and pictures."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from PIL import Image
from pixels import noise
from upscale_command import draw, upscale

from srcli.errors import CheckpointError
from srcli.generators.bundled import BUNDLED, weights_folder
from srcli.generators.on_onnx import CPU_PROVIDER, gpu_provider, load_portable, open_on_gpu
from srcli.generators.on_torch import TorchGenerator
from srcli.generators.onnx_in_torch import open_in_torch

CPU = torch.device("cpu")


def in_torch(path: Path, held_to: Path | None = None) -> TorchGenerator:
    return open_in_torch(path.read_bytes(), load_portable(held_to or path), path.name, CPU)


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_model_gives_the_same_pictures_in_torch(name: str) -> None:
    path = weights_folder() / f"{name}.onnx"
    generator, low_res = in_torch(path), noise(20, 36).transpose(2, 0, 1)[None].astype(np.float32) / 128 - 1
    weights = {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}
    stem = numpy_helper.to_array(weights["stem.weight_half"]).astype(np.float32)
    np.testing.assert_array_equal(generator.network.state_dict()["stem.weight"].numpy(), stem)
    expected = load_portable(path).enlarge(low_res)
    np.testing.assert_allclose(generator.enlarge(low_res), expected, rtol=0, atol=1e-4, strict=True)
    assert generator.description == load_portable(path).description


@pytest.mark.parametrize("kind", ["compact", "resnet", "dcgan", "mlp", "noise"])
def test_every_architecture_is_rebuilt_in_torch(folder: Path, kind: str) -> None:
    """Exporting folds batch normalisation into layers, and leaves out what has no effect."""
    path = folder / f"{kind}.onnx"
    of_torch, of_onnx = in_torch(path), load_portable(path)
    if kind == "noise":
        faces = of_torch.sample(2, seed=4), of_onnx.sample(2, seed=4)
    else:
        low_res = np.random.default_rng(3).uniform(-1, 1, (2, 3, 16, 16)).astype(np.float32)
        faces = of_torch.enlarge(low_res), of_onnx.enlarge(low_res)
    assert np.abs(faces[1]).mean() > 0.05
    np.testing.assert_allclose(*faces, rtol=0, atol=1e-4, strict=True)


def test_weights_that_give_other_pictures_are_refused(folder: Path, tmp_path: Path) -> None:
    model = onnx.load(folder / "compact.onnx")
    weights = next(tensor for tensor in model.graph.initializer if tensor.name == "stem.weight")
    weights.CopyFrom(numpy_helper.from_array(1.01 * numpy_helper.to_array(weights), weights.name))
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(CheckpointError, match=r"other\.onnx in torch gives other pictures, by up to [\d.]+ "):
        in_torch(tmp_path / "other.onnx", held_to=folder / "compact.onnx")


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"mlp\.onnx does not fit its experiment: stem.weight is miss"):
        in_torch(folder / "mlp.onnx", held_to=folder / "compact.onnx")


def test_onnxruntime_is_asked_for_the_gpu_of_that_number_if_it_has_a_provider() -> None:
    available = ["CUDAExecutionProvider", CPU_PROVIDER]
    for device, number in (("cuda", 0), ("cuda:0", 0), ("cuda:1", 1), ("cuda:12", 12)):
        assert gpu_provider(device, available) == ("CUDAExecutionProvider", {"device_id": number})
    for device in ("cuda:", "cuda:x", "cuda:-1", "mps", "cpu"):
        assert gpu_provider(device, available) is None
    assert gpu_provider("cuda", [CPU_PROVIDER]) is None


def test_a_provider_that_does_not_start_is_no_error() -> None:
    path = weights_folder() / "faces.onnx"
    portable = load_portable(path)
    assert open_on_gpu(path.read_bytes(), portable, "NoExecutionProvider") is None


@pytest.mark.parametrize("device", ["abacus", "cuda:99"])
def test_a_device_that_nothing_can_use_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.chdir(tmp_path)
    draw("face.png")
    code, output, lines = upscale("face.png", "--device", device)
    assert (code, output, len(lines)) == (1, "", 1)
    assert lines[0].startswith(f"error: --device {device} cannot be used: ")
    assert "; onnxruntime" in lines[0]
    assert "Leave out --device to use the processor" in lines[0]


def test_upscale_runs_a_bundled_model_by_torch_on_a_device_of_torch_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cpu:0` is one that onnxruntime does not know."""
    monkeypatch.chdir(tmp_path)
    draw("face.png")
    assert upscale("face.png", "--device", "cpu:0", "--out", "torch.png") == (0, "torch.png\n", [])
    assert upscale("face.png", "--out", "onnx.png") == (0, "onnx.png\n", [])
    with Image.open("torch.png") as one, Image.open("onnx.png") as other:
        difference = np.asarray(one).astype(int) - np.asarray(other)
        assert one.info == other.info
    assert np.abs(difference).max() <= 1
