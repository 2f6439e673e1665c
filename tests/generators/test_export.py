"""ONNX files: the same pictures as torch's, without torch, and untrusted files rejected."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from PIL import Image
from pixels import soft
from tiny_experiments import small_experiment
from typer.testing import CliRunner

from srcli.cli.main import app
from srcli.errors import CheckpointError
from srcli.generators import export as exporting
from srcli.generators.loading import load_generator
from srcli.generators.on_onnx import load_portable
from srcli.generators.on_torch import load_torch_generator
from srcli.storage.checksums import sha256_of


def run(*arguments: str | Path) -> tuple[int, str, list[str]]:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr.splitlines()


def changed(source: Path, target: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    model = onnx.load(source)
    change(model)
    onnx.save(model, target)
    return target


@pytest.mark.parametrize("kind", ["residual", "compact", "resnet", "dcgan", "mlp"])
@pytest.mark.parametrize("batch", [1, 5])
def test_an_onnx_file_enlarges_as_torch_does(folder: Path, kind: str, batch: int) -> None:
    theirs, ours = (load_generator(str(folder / f"{kind}.{ending}")) for ending in ("safetensors", "onnx"))
    height, width = (16, 16) if kind == "mlp" else (20, 36)
    low_res = np.random.default_rng(3).uniform(-1, 1, (batch, 3, height, width)).astype(np.float32)
    expected, of_another_picture = theirs.enlarge(low_res), theirs.enlarge(-low_res)
    assert np.abs(expected - of_another_picture).mean() > 0.1
    assert expected.shape == (batch, 3, 4 * height, 4 * width)
    np.testing.assert_allclose(ours.enlarge(low_res), expected, rtol=0, atol=1e-4, strict=True)
    of_file = ours.description.model_copy(update={"sha256": theirs.description.sha256})
    assert of_file == theirs.description
    assert ours.description.sha256 == sha256_of(folder / f"{kind}.onnx")


def test_an_onnx_file_draws_the_same_faces_from_noise(folder: Path) -> None:
    theirs, ours = (load_generator(str(folder / f"noise.{ending}")) for ending in ("safetensors", "onnx"))
    assert ours.description.takes_noise
    expected = theirs.sample(70, seed=4)
    assert np.abs(expected - theirs.sample(70, seed=5)).mean() > 0.1
    np.testing.assert_allclose(ours.sample(70, seed=4), expected, rtol=0, atol=1e-4, strict=True)


def test_half_weights_are_the_exact_ones_rounded_once(folder: Path, tmp_path: Path) -> None:
    code, output, lines = run("export", folder / "dcgan.safetensors", "--out", tmp_path / "h.onnx", "--half")
    assert (code, output) == (0, f"{tmp_path / 'h.onnx'}\n")
    assert lines[0].startswith("small-dcgan-wgan-gp, step 7: outputs within")
    weights = {tensor.name: tensor for tensor in onnx.load(tmp_path / "h.onnx").graph.initializer}
    assert weights["0.weight_half"].data_type == TensorProto.FLOAT16
    exact = {tensor.name: tensor for tensor in onnx.load(folder / "dcgan.onnx").graph.initializer}
    rounded = numpy_helper.to_array(exact["0.weight"]).astype(np.float16)
    assert np.array_equal(numpy_helper.to_array(weights["0.weight_half"]), rounded)
    low_res = np.random.default_rng(3).uniform(-1, 1, (1, 3, 16, 16)).astype(np.float32)
    whole, half = (
        load_portable(path).enlarge(low_res) for path in (folder / "dcgan.onnx", tmp_path / "h.onnx")
    )
    assert 0 < np.abs(whole - half).max() < 0.02


def test_a_file_says_where_it_comes_from_and_nothing_of_the_machine(folder: Path) -> None:
    model = onnx.load(folder / "residual.onnx")
    described = json.loads({entry.key: entry.value for entry in model.metadata_props}["srcli"])
    assert described["experiment"] == small_experiment(generator="residual").model_dump(mode="json")
    assert (described["step"], described["margin"]) == (7, 9)
    content = (folder / "residual.onnx").read_bytes()
    assert str(Path(exporting.__file__).parent).encode() not in content
    assert sys.prefix.encode() not in content


def test_exporting_twice_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    generator = load_torch_generator(folder / "mlp.safetensors")
    exporting.export(generator, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == (folder / "mlp.onnx").read_bytes()


def test_a_network_that_onnx_cannot_follow_is_not_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "EXACT", 0.0)
    generator = load_torch_generator(folder / "dcgan.safetensors")
    with pytest.raises(
        CheckpointError, match=r"would differ from small-dcgan-wgan-gp, step 7 by .*, not written"
    ):
        exporting.export(generator, tmp_path / "no.onnx")
    assert list(tmp_path.iterdir()) == []


def test_upscale_with_an_onnx_file_imports_no_torch(folder: Path, tmp_path: Path) -> None:
    Image.fromarray(soft(20, 24)).save(tmp_path / "a.png")
    program = (
        "import sys; from srcli.cli.main import app; "
        "app(sys.argv[1:], standalone_mode=False); "
        "print(*{'torch', 'torchvision', 'onnx', 'matplotlib'} & set(sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "upscale", "a.png", "--model", str(folder / "residual.onnx")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("a_x4.png\n", "\n")
    with Image.open(tmp_path / "a_x4.png") as enlarged:
        assert enlarged.size == (96, 80)
        assert enlarged.info["srcli:model"].startswith("small-residual-wgan-gp, step 7, sha256 ")


def test_compare_takes_onnx_files_beside_runs(folder: Path, tmp_path: Path) -> None:
    models = [folder / "resnet.safetensors", folder / "resnet.onnx"]
    code, _, lines = run("compare", *models, "--out", tmp_path / "c", "--limit", "4")
    assert code == 0, lines
    record = json.loads((tmp_path / "c" / "metrics.json").read_text())
    torch_row, onnx_row = record["enlarged"][2:4]
    assert onnx_row["psnr"]["mean"] == pytest.approx(torch_row["psnr"]["mean"], abs=1e-3)
    assert onnx_row["model"]["source"] == str(folder / "resnet.onnx")


def test_mistakes_in_exporting_are_one_line(folder: Path, tmp_path: Path) -> None:
    weights, out = folder / "mlp.safetensors", tmp_path / "there.onnx"
    out.touch()
    wrong_ending = (
        f"error: --out {tmp_path / 'm.pt'} does not end in .onnx. Give --out {tmp_path / 'm.onnx'}."
    )
    assert run("export", weights, "--out", tmp_path / "m.pt") == (1, "", [wrong_ending])
    exists = f"error: {out} already exists. Give another --out."
    assert run("export", weights, "--out", out) == (1, "", [exists])
    assert out.stat().st_size == 0


def with_outside_weights(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    size = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="outside.bin")
    tensor.external_data.add(key="length", value=str(size))
    Path("outside.bin").write_bytes(bytes(size))


def without_description(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def with_wrong_description(model: onnx.ModelProto) -> None:
    described = json.loads(model.metadata_props[0].value)
    model.metadata_props[0].value = json.dumps({**described, "scale": 10**9})


def with_wrong_task(model: onnx.ModelProto) -> None:
    described = json.loads(model.metadata_props[0].value)
    described["experiment"]["task"]["label_size"] = -1
    model.metadata_props[0].value = json.dumps(described)


def with_another_task(model: onnx.ModelProto) -> None:
    described = json.loads(model.metadata_props[0].value)
    described["experiment"]["task"]["scale"] = 2
    model.metadata_props[0].value = json.dumps(described)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_wrong_task, "describes itself wrongly"),
        (with_another_task, "describes itself wrongly"),
        (with_outside_weights, "cannot be read as a model: .*outside.bin"),
        (without_description, "was not written by srcli"),
        (with_wrong_description, "describes itself wrongly"),
    ],
)
def test_a_strangers_model_is_refused(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[onnx.ModelProto], None],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    model = changed(folder / "mlp.onnx", tmp_path / "evil.onnx", change)
    with pytest.raises(CheckpointError, match=message):
        load_portable(model)


@pytest.mark.parametrize("length", [0, 10, 5000])
def test_a_damaged_file_is_one_clear_error(folder: Path, tmp_path: Path, length: int) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((folder / "mlp.onnx").read_bytes()[:length])
    with pytest.raises(CheckpointError, match=r"broken\.onnx (cannot be read as a model|was not written)"):
        load_portable(broken)
