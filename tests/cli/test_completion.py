"""Completion, as a shell asks the program for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from srcli.experiment.presets import preset_names

# What the installed script does, whose name is also that of the variables a shell sets.
SCRIPT = "import sys; sys.argv[0] = 'srcli'; from srcli.cli.main import main; main()"


def complete(line: str, folder: Path, shell: str = "bash") -> tuple[list[str], str]:
    """What is offered for the last word of a line, which may be empty, and what Python imports for it."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "_SRCLI_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
    }
    command = [sys.executable, "-X", "importtime", "-c", SCRIPT]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [word for word in done.stdout.splitlines() if word], done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two runs, one of them deeper, a weight file, and what is neither."""
    for name in ("runs/smoke-1", "other[1]"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").write_text(json.dumps({"status": "finished"}))
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "mine.onnx").touch()
    (tmp_path / "face.png").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("srcli train --preset resnet-nobn-", [name for name in preset_names() if "resnet-nobn-" in name]),
        ("srcli presets show smo", ["smoke"]),
        ("srcli train --preset zzz", []),
        ("srcli train --resume ", ["other[1]", "runs/smoke-1"]),
        ("srcli plot-curves other[1] ./runs/s", ["./runs/smoke-1"]),
        ("srcli tensorboard other[", ["other[1]"]),
        (
            "srcli upscale face.png --model ",
            ["faces", "faces-faithful", "other[1]", "runs/smoke-1", "mine.onnx"],
        ),
        ("srcli compare faces m", ["mine.onnx"]),
        ("srcli help heal", ["health"]),
        ("srcli upscale fa", []),  # where nothing is offered, the shell completes files
    ],
)
def test_names_are_offered(line: str, offered: list[str], folder: Path) -> None:
    words, _ = complete(line, folder)
    assert words == offered


def test_zsh_is_told_what_a_preset_is(folder: Path) -> None:
    words, _ = complete("srcli train --preset smo", folder, "zsh")
    assert '"smoke":"' in " ".join(words)


def test_nothing_heavy_is_imported(folder: Path) -> None:
    _, imports = complete("srcli compare ", folder)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in imports.splitlines()}
    assert "srcli" in imported
    assert not imported & {"torch", "torchvision", "numpy", "scipy", "matplotlib", "onnxruntime", "PIL"}


def test_an_empty_word_earlier_in_the_line_is_no_error(folder: Path) -> None:
    words, _ = complete('srcli compare "" fac', folder)
    assert words == ["faces", "faces-faithful"]
