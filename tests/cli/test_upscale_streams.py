"""`srcli upscale` and what it is connected to: pipes, terminals, full disks, interrupts."""

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest
from upscale_command import draw, names_in, opened, upscale
from warm import COMMAND, Srcli


@pytest.mark.usefixtures("pictures")
def test_standard_input_becomes_a_named_file(resnet: Path) -> None:
    done = upscale("-", "--model", resnet, "--out", "new/b.webp", stdin=Path("a.png").read_bytes())
    assert done == (0, "new/b.webp\n", [])
    assert opened("new/b.webp").size == (80, 120)
    assert upscale("-", "--model", resnet, stdin=b"") == (1, "", ["error: standard input: it is empty"])


@pytest.mark.usefixtures("pictures")
def test_a_pipe_carries_the_picture_and_nothing_else(resnet: Path, srcli: Srcli) -> None:
    reader, writer = os.pipe()
    os.write(writer, Path("a.png").read_bytes())
    os.close(writer)
    with Path("out").open("wb") as out:
        done = srcli("upscale", "-", "--model", resnet, stdin=reader, stdout=out)
    os.close(reader)
    assert (done.returncode, done.stderr) == (0, "")
    upscale("a.png", "--model", resnet)
    assert Path("out").read_bytes() == Path("a_x4.png").read_bytes()


@pytest.mark.usefixtures("pictures")
def test_a_closed_pipe_causes_no_complaint(resnet: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, "upscale", "-", "--model", str(resnet)]
    with Path("a.png").open("rb") as picture:
        done = subprocess.run(command, stdin=picture, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert done.stderr == b""


@pytest.mark.usefixtures("pictures")
def test_pictures_are_neither_read_from_nor_written_to_a_terminal(resnet: Path, srcli: Srcli) -> None:
    ours, theirs = pty.openpty()
    from_terminal = srcli("upscale", "-", "--model", resnet, stdin=theirs)
    with Path("a.png").open("rb") as picture:
        to_terminal = srcli("upscale", "-", "--model", resnet, stdin=picture, stdout=theirs)
    os.close(theirs)
    os.close(ours)
    assert from_terminal.stderr.startswith("error: standard input is a terminal.")
    assert to_terminal.stderr.startswith("error: the picture would be written to a terminal.")
    assert from_terminal.returncode == to_terminal.returncode == 1


@pytest.mark.usefixtures("pictures")
def test_a_full_disk_is_reported_and_leaves_no_partial_file(resnet: Path, srcli: Srcli) -> None:
    done = srcli("upscale", "a.png", "face.png", "--model", resnet, "--out", "big/", file_size=4_000)
    assert (done.returncode, done.stdout) == (4, "big/face_x4.png\n")
    assert done.stderr == "error: big/a_x4.png: cannot be written: File too large\n"
    assert names_in("big") == ["face_x4.png"]


@pytest.mark.usefixtures("pictures")
def test_with_a_progress_bar_on_the_terminal_paths_still_go_to_standard_output(
    resnet: Path, srcli: Srcli
) -> None:
    ours, theirs = pty.openpty()
    done = srcli("upscale", "empty.png", "a.png", "--model", resnet, stderr=theirs)
    os.close(theirs)
    shown = os.read(ours, 100_000)
    os.close(ours)
    assert (done.returncode, done.stdout) == (4, "a_x4.png\n")
    assert b"enlarging" in shown
    assert b"error: empty.png: it is empty" in shown


@pytest.mark.usefixtures("folder")
def test_json_is_refused_with_a_picture_on_standard_output(residual: Path) -> None:
    draw("a.png")
    code, output, errors = upscale("-", "--json", "--model", residual, stdin=Path("a.png").read_bytes())
    assert (code, output) == (2, "")
    assert "standard output gets the picture; give --out FILE" in " ".join(errors)
    done = upscale("-", "--json", "--out", "b.png", "--model", residual, stdin=Path("a.png").read_bytes())
    assert json.loads(done[1])["input"] == "-"


@pytest.mark.usefixtures("folder")
def test_a_disk_that_fills_up_during_a_picture_spoils_only_that_one(residual: Path, srcli: Srcli) -> None:
    draw("a.png", "b.png")
    draw("a.png", size=(300, 20))
    done = srcli("upscale", "a.png", "b.png", "--model", residual, "--out", "big/", file_size=30_000)
    assert (done.returncode, done.stdout) == (4, "big/b_x4.png\n")
    assert done.stderr == "error: big/a_x4.png: cannot be written: File too large\n"
    assert names_in("big") == ["b_x4.png"]


@pytest.mark.usefixtures("folder")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("source", ["-", "a.png"])
def test_a_full_standard_output_is_one_line(residual: Path, source: str) -> None:
    draw("a.png")
    with Path("/dev/full").open("wb") as full, Path("a.png").open("rb") as picture:
        command = [*COMMAND, "upscale", source, "--model", str(residual)]
        done = subprocess.run(command, stdin=picture, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.usefixtures("folder")
def test_a_closed_pipe_of_paths_causes_no_complaint(residual: Path) -> None:
    draw(*(f"in/{number}.png" for number in range(5)))
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, "upscale", "in", "--model", str(residual)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
    assert not [name for name in names_in("in") if name.startswith(".")]


@pytest.mark.usefixtures("folder")
def test_an_interrupt_leaves_whole_files_only(residual: Path, srcli: Srcli) -> None:
    draw("in/0.png")
    draw("in/1.png", size=(4000, 2000))
    command = ("upscale", "in", "--out", "big/", "--model", residual)
    with (
        Path("out").open("wb") as out,
        Path("errors").open("wb") as errors,
        srcli.start(*command, stdout=out, stderr=errors) as process,
    ):
        while not (list(Path("big").glob(".1_x4.png.*")) and Path("out").stat().st_size):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert Path("out").read_text() == "big/0_x4.png\n"
    assert Path("errors").read_text() == "error: interrupted\n"
    assert names_in("big") == ["0_x4.png"]


@pytest.mark.usefixtures("folder")
def test_a_name_that_is_not_valid_text_is_printed_byte_for_byte(residual: Path) -> None:
    name = os.fsdecode(b"in/\xff.png")
    draw(name)
    command = [*COMMAND, "upscale", "in", "--model", str(residual)]
    done = subprocess.run(command, capture_output=True, timeout=60, env={**os.environ, "PYTHONUTF8": "1"})
    assert (done.returncode, done.stdout) == (0, b"in/\xff_x4.png\n")
