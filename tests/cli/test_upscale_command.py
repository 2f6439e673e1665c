"""`srcli upscale` as a user or a script runs it, with weights of real checkpoints."""

import os
import pty
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pixels import noise
from tiny_experiments import small_experiment
from typer.testing import CliRunner

from srcli.cli.main import app
from srcli.generators.on_torch import load_torch_generator
from srcli.pictures.formats import readable_formats
from srcli.runs.checkpoints import write_checkpoint, write_weights
from srcli.runs.directory import RunDirectory, create_run
from srcli.upscaling.tiles import enlarge_pixels

COMMAND = [sys.executable, "-m", "srcli", "upscale"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained weight file, labelled step 7, for every kind of generator."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    for name in ("resnet", "dcgan", "mlp", "noise"):
        experiment = small_experiment(generator=name)
        write_weights(folder / f"{name}.safetensors", experiment.generator.build(), experiment, 7)
    return folder


@pytest.fixture
def model(weights: Path) -> Path:
    return weights / "resnet.safetensors"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a picture, a training-sized picture, and two files that are not pictures."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(noise(30, 20)).save("a.png")
    Image.fromarray(noise(16, 16)).save("face.png")
    Path("empty.png").touch()
    Path("text.jpg").write_text("not a picture")
    return tmp_path


def upscale(*arguments: str | Path, stdin: bytes | None = None) -> tuple[int, str, list[str]]:
    """The exit code, standard output, and the lines on standard error."""
    done = CliRunner().invoke(app, ["upscale", *map(str, arguments)], input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr.splitlines()


def opened(path: str) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image


def names_in(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.mark.parametrize("name", ["resnet", "dcgan"])
def test_a_picture_of_any_size_becomes_four_times_larger(weights: Path, name: str) -> None:
    file = weights / f"{name}.safetensors"
    assert upscale("a.png", "--model", file) == (0, "a_x4.png\n", [])
    generator = load_torch_generator(file)
    np.testing.assert_array_equal(
        np.asarray(opened("a_x4.png")), enlarge_pixels(np.asarray(opened("a.png")), generator)
    )
    text = opened("a_x4.png").info
    assert text["srcli:model"] == f"small-{name}-wgan-gp, step 7, sha256 {generator.sha256}"


def test_a_run_means_its_newest_checkpoint(tmp_path: Path) -> None:
    experiment = small_experiment(generator="resnet")
    run = create_run(tmp_path / "run", experiment.to_yaml(), {"status": "running"})
    for step in (1, 2):
        network = {"generator.safetensors": experiment.generator.build()}
        write_checkpoint(RunDirectory(run.path), experiment, step, network, {})
    assert upscale("a.png", "--model", "run")[0] == 0
    upscale("a.png", "--model", "run/checkpoints/step-000001", "--out", "first.png")
    assert "step 2, sha256" in opened("a_x4.png").info["srcli:model"]
    assert "step 1, sha256" in opened("first.png").info["srcli:model"]
    assert (np.asarray(opened("a_x4.png")) != np.asarray(opened("first.png"))).any()


def test_pictures_that_fail_are_named_and_the_others_go_on(model: Path) -> None:
    code, output, errors = upscale("empty.png", "a.png", "none.png", "text.jpg", "face.png", "--model", model)
    assert (code, output) == (4, "a_x4.png\nface_x4.png\n")
    assert errors == [
        "error: none.png: No such file or directory",
        "error: empty.png: it is empty",
        f"error: text.jpg: it is not a picture of {', '.join(readable_formats())}",
    ]


def test_the_exit_code_is_1_if_every_picture_fails(model: Path) -> None:
    code, output, errors = upscale("empty.png", "text.jpg", "--model", model)
    assert (code, output, len(errors)) == (1, "", 2)
    assert names_in(".") == ["a.png", "empty.png", "face.png", "text.jpg"]


def test_a_multilayer_perceptron_takes_the_training_size_only(weights: Path) -> None:
    code, output, errors = upscale("face.png", "a.png", "--model", weights / "mlp.safetensors")
    assert (code, output) == (4, "face_x4.png\n")
    assert errors == [
        "error: a.png: it is 20x30, but the model (small-mlp-wgan-gp, step 7) takes exactly 16x16."
        " Use a convolutional model (resnet or dcgan), which takes any size."
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.png", "--model", "face"], "error: there is no model face. Did you mean faces? Give faces, "),
        (["a.png", "--model", "a.png"], "error: a.png cannot be read as weights"),
        (
            ["a.png", "--model", "{noise}"],
            "error: {noise} draws faces from noise and cannot enlarge pictures",
        ),
        (["a.png", "--model", "{resnet}", "--device", "abacus"], "error: --device abacus cannot be used"),
        (["a.png", "--model", "{resnet}", "--quality", "9"], "error: --quality has no effect on PNG"),
        (
            ["face.png", "--model", "{resnet}", "--out", "a.png"],
            "error: a.png already exists. Choose --on-exist",
        ),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing_behind(
    weights: Path, arguments: list[str], message: str
) -> None:
    files = {name: str(weights / f"{name}.safetensors") for name in ("noise", "resnet")}
    code, output, errors = upscale(*(argument.format(**files) for argument in arguments))
    assert (code, output, len(errors)) == (1, "", 1)
    assert errors[0].startswith(message.format(**files))
    assert names_in(".") == ["a.png", "empty.png", "face.png", "text.jpg"]


def test_existing_outputs_are_skipped_on_request_with_a_message(model: Path) -> None:
    Path("a_x4.png").touch()
    done = upscale("a.png", "face.png", "--model", model, "--on-exist", "skip")
    assert done == (0, "face_x4.png\n", ["a_x4.png already exists, skipped"])
    assert Path("a_x4.png").stat().st_size == 0
    assert upscale("a.png", "--model", model, "--on-exist", "overwrite") == (0, "a_x4.png\n", [])
    assert opened("a_x4.png").size == (80, 120)


def test_what_a_picture_loses_is_reported(model: Path) -> None:
    first, second = (Image.new("L", (16, 16), grey) for grey in (0, 255))
    first.save("moving.gif", save_all=True, append_images=[second])
    code, _, lines = upscale("moving.gif", "--model", model)
    assert (code, lines) == (0, ["moving.gif: only its first frame is enlarged"])


def test_a_folder_becomes_a_folder_of_the_format_of_a_pattern(model: Path) -> None:
    Path("in/deep").mkdir(parents=True)
    for name in ("in/b.png", "in/deep/c.webp"):
        Image.fromarray(noise(16, 16)).save(name)
    done = upscale("in", "--recursive", "--model", model, "--out", "big/{stem}.jpg", "--quality", "80")
    assert done == (0, "big/b.jpg\nbig/c.jpg\n", [])
    assert opened("big/c.jpg").format == "JPEG"


def test_standard_input_becomes_a_named_file(model: Path) -> None:
    done = upscale("-", "--model", model, "--out", "new/b.webp", stdin=Path("a.png").read_bytes())
    assert done == (0, "new/b.webp\n", [])
    assert opened("new/b.webp").size == (80, 120)
    assert upscale("-", "--model", model, stdin=b"") == (1, "", ["error: standard input: it is empty"])


def test_a_pipe_carries_the_picture_and_nothing_else(model: Path) -> None:
    command = [*COMMAND, "-", "--model", str(model)]
    done = subprocess.run(command, input=Path("a.png").read_bytes(), capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    upscale("a.png", "--model", model)
    assert done.stdout == Path("a_x4.png").read_bytes()


def test_a_closed_pipe_causes_no_complaint(model: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, "-", "--model", str(model)]
    with Path("a.png").open("rb") as picture:
        done = subprocess.run(command, stdin=picture, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert done.stderr == b""


def test_pictures_are_neither_read_from_nor_written_to_a_terminal(model: Path) -> None:
    ours, theirs = pty.openpty()
    command = [*COMMAND, "-", "--model", str(model)]
    from_terminal = subprocess.run(command, stdin=theirs, capture_output=True, timeout=60)
    with Path("a.png").open("rb") as picture:
        to_terminal = subprocess.run(
            command, stdin=picture, stdout=theirs, stderr=subprocess.PIPE, timeout=60
        )
    os.close(theirs)
    os.close(ours)
    assert from_terminal.stderr.startswith(b"error: standard input is a terminal.")
    assert to_terminal.stderr.startswith(b"error: the picture would be written to a terminal.")
    assert from_terminal.returncode == to_terminal.returncode == 1


def test_a_full_disk_is_reported_and_leaves_no_partial_file(model: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "a.png", "face.png", "--model", str(model), "--out", "big/"],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000)),
    )
    assert (done.returncode, done.stdout) == (4, "big/face_x4.png\n")
    assert done.stderr == "error: big/a_x4.png: cannot be written: File too large\n"
    assert names_in("big") == ["face_x4.png"]


def test_with_a_progress_bar_on_the_terminal_paths_still_go_to_standard_output(model: Path) -> None:
    ours, theirs = pty.openpty()
    command = [*COMMAND, "empty.png", "a.png", "--model", str(model)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 100_000)
    os.close(ours)
    assert (done.returncode, done.stdout) == (4, b"a_x4.png\n")
    assert b"enlarging" in shown
    assert b"error: empty.png: it is empty" in shown
