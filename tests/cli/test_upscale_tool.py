"""`srcli upscale` beyond the network: records, comparisons, patterns, clean exits."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pixels import noise, png
from tiny_experiments import small_experiment
from typer.testing import CliRunner

from srcli.cli.main import app
from srcli.generators.on_torch import load_torch_generator
from srcli.runs.checkpoints import write_weights
from srcli.upscaling.tiles import enlarge_pixels

COMMAND = [sys.executable, "-m", "srcli", "upscale"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained weight file, labelled step 7."""
    torch.manual_seed(0)
    experiment = small_experiment(generator="residual")
    file = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_weights(file, experiment.generator.build(), experiment, 7)
    return file


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def draw(*names: str, size: tuple[int, int] = (16, 16)) -> None:
    for number, name in enumerate(names):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(noise(*size), number, axis=0)).save(name)


def upscale(*arguments: str | Path, stdin: bytes | None = None) -> tuple[int, str, list[str]]:
    """The exit code, standard output, and the lines on standard error."""
    done = CliRunner().invoke(app, ["upscale", *map(str, arguments)], input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr.splitlines()


def pixels_of(path: str | Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def names_in(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_many_files_of_mixed_sizes_come_out_in_order_as_they_would_one_by_one(model: Path) -> None:
    sizes = [(16, 16), (20, 31), (16, 16), (150, 140), (31, 20)]
    names = [f"in/{number:03}.png" for number in range(100)]
    for number, name in enumerate(names):
        draw(name, size=sizes[number % 5 if number > 90 else 0])
    Path("in/050.png").write_bytes(b"no picture")
    code, output, errors = upscale("in", "--out", "big/", "--model", model)
    assert (code, len(errors)) == (4, 1)
    left = [name for name in names if "050" not in name]
    assert output.splitlines() == [name.replace("in/", "big/").replace(".png", "_x4.png") for name in left]
    generator = load_torch_generator(model)
    for name, written in zip(left[::3] + left[-10:], output.split()[::3] + output.split()[-10:], strict=True):
        alone = enlarge_pixels(pixels_of(name), generator)
        assert np.abs(alone.astype(int) - pixels_of(written)).max() <= 1


def test_json_gives_a_record_of_every_picture(model: Path) -> None:
    draw("a.png", "b.png", "c.png", size=(20, 30))
    Path("b.png").write_bytes(b"")
    draw("c_x4.png")
    code, output, errors = upscale(
        "a.png", "b.png", "c.png", "d.png", "--json", "--on-exist", "skip", "--model", model
    )
    records = {record["input"]: record for record in map(json.loads, output.splitlines())}
    assert (code, len(errors)) == (4, 3)
    seconds = records["a.png"].pop("seconds")
    assert 0 < seconds < 60
    assert records["a.png"] == {
        "input": "a.png",
        "output": "a_x4.png",
        "status": "ok",
        "error": None,
        "width": 30,
        "height": 20,
        "output_width": 120,
        "output_height": 80,
        "model": "small-residual-wgan-gp, step 7",
        "sha256": load_torch_generator(model).sha256,
    }
    told = {name: (record["status"], record["error"], record["output"]) for name, record in records.items()}
    assert told["b.png"] == ("failed", "b.png: it is empty", None)
    assert told["c.png"] == ("skipped", None, "c_x4.png")
    assert told["d.png"] == ("failed", "d.png: No such file or directory", None)


def test_json_is_refused_with_a_picture_on_standard_output(model: Path) -> None:
    draw("a.png")
    code, output, errors = upscale("-", "--json", "--model", model, stdin=Path("a.png").read_bytes())
    assert (code, output) == (2, "")
    assert "standard output gets the picture; give --out FILE" in " ".join(errors)
    done = upscale("-", "--json", "--out", "b.png", "--model", model, stdin=Path("a.png").read_bytes())
    assert json.loads(done[1])["input"] == "-"


def test_a_consistent_output_averages_to_its_input_in_the_file(model: Path) -> None:
    draw("a.png", size=(150, 141))
    assert upscale("a.png", "--consistent", "--model", model)[0] == 0
    means = pixels_of("a_x4.png").reshape(150, 4, 141, 4, 3).mean(axis=(1, 3))
    assert np.abs(means - pixels_of("a.png")).max() <= 1


def test_a_comparison_is_bicubic_and_output_side_by_side(model: Path) -> None:
    draw("a.png", size=(150, 20))
    upscale("a.png", "--model", model)
    assert upscale("a.png", "--compare", "--out", "both.png", "--model", model) == (0, "both.png\n", [])
    with Image.open("a.png") as image:
        bicubic = np.asarray(image.resize((80, 600), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(pixels_of("both.png")[:, :80], bicubic)
    np.testing.assert_array_equal(pixels_of("both.png")[:, 80:], pixels_of("a_x4.png"))


def test_patterns_that_no_shell_expanded_are_expanded(model: Path) -> None:
    draw("faces/b.png", "faces/a.png", "faces/deep/c.png", "faces/[x].png")
    done = upscale("faces/?.png", "faces/**/c.png", "faces/[x].png", "--out", "big/", "--model", model)
    assert done == (0, "big/a_x4.png\nbig/b_x4.png\nbig/c_x4.png\nbig/[x]_x4.png\n", [])
    assert upscale("none/*.png", "--model", model) == (
        1,
        "",
        ["error: none/*.png: no file matches this pattern"],
    )
    assert upscale("faces/*c.png", "faces/a.png", "--model", model)[0] == 4


BAD = {
    "empty": b"",
    "text": b"hello",
    "cut short": None,
    "without height": png(16, 0, 8, 2, b"").getvalue(),
    "bomb": png(60_000, 60_000, 8, 2, b"").getvalue(),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_bad_pictures_are_one_line_and_leave_nothing(model: Path, content: bytes | None) -> None:
    if content is None:
        Image.fromarray(noise(64, 64)).save("whole.jpg")
        content = Path("whole.jpg").read_bytes()[:2000]
        Path("whole.jpg").unlink()
    Path("a.jpg").write_bytes(content)
    code, output, errors = upscale("a.jpg", "--model", model)
    assert (code, output, len(errors)) == (1, "", 1)
    assert errors[0].startswith("error: a.jpg: it is ")
    assert names_in(".") == ["a.jpg"]


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_the_smallest_and_the_longest_pictures_are_enlarged(model: Path, size: tuple[int, int]) -> None:
    draw("a.tiff", size=size)
    assert upscale("a.tiff", "--model", model) == (0, "a_x4.png\n", [])
    assert pixels_of("a_x4.png").shape == (4 * size[0], 4 * size[1], 3)


def test_a_disk_that_fills_up_during_a_picture_spoils_only_that_one(model: Path) -> None:
    draw("a.png", "b.png")
    draw("a.png", size=(300, 20))
    done = subprocess.run(
        [*COMMAND, "a.png", "b.png", "--model", str(model), "--out", "big/"],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)),
    )
    assert (done.returncode, done.stdout) == (4, "big/b_x4.png\n")
    assert done.stderr == "error: big/a_x4.png: cannot be written: File too large\n"
    assert names_in("big") == ["b_x4.png"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("source", ["-", "a.png"])
def test_a_full_standard_output_is_one_line(model: Path, source: str) -> None:
    draw("a.png")
    with Path("/dev/full").open("wb") as full, Path("a.png").open("rb") as picture:
        command = [*COMMAND, source, "--model", str(model)]
        done = subprocess.run(command, stdin=picture, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1


def test_a_closed_pipe_of_paths_causes_no_complaint(model: Path) -> None:
    draw(*(f"in/{number}.png" for number in range(5)))
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, "in", "--model", str(model)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
    assert not [name for name in names_in("in") if name.startswith(".")]


def test_an_interrupt_leaves_whole_files_only(model: Path) -> None:
    draw("in/0.png")
    draw("in/1.png", size=(4000, 2000))
    command = [*COMMAND, "in", "--out", "big/", "--model", str(model)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Shells start background jobs deaf to SIGINT, and their children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"big/0_x4.png\n"
        while not list(Path("big").glob(".1_x4.png.*")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == b"error: interrupted\n"
    assert names_in("big") == ["0_x4.png"]


def test_a_name_that_is_not_valid_text_is_printed_byte_for_byte(model: Path) -> None:
    name = os.fsdecode(b"in/\xff.png")
    draw(name)
    command = [*COMMAND, "in", "--model", str(model)]
    done = subprocess.run(command, capture_output=True, timeout=60, env={**os.environ, "PYTHONUTF8": "1"})
    assert (done.returncode, done.stdout) == (0, b"in/\xff_x4.png\n")
