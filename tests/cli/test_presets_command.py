"""`srcli presets`, and the lookup that `srcli train --preset` shares with it."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from srcli.cli.main import app
from srcli.errors import ExperimentError
from srcli.experiment.loading import load_experiment
from srcli.experiment.presets import preset_description, preset_names, preset_path


def presets(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["presets", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_list_has_a_line_of_name_and_description_for_every_preset() -> None:
    code, output, errors = presets("list")
    lines = [re.split(r"  +", line, maxsplit=1) for line in output.splitlines()]
    assert (code, errors) == (0, "")
    assert [name for name, _ in lines] == preset_names()
    assert {"resnet-wgangp", "smoke"} <= set(preset_names())
    assert len({line.index(text) for line, (_, text) in zip(output.splitlines(), lines, strict=True)}) == 1
    assert all(len(text) > 20 and not text.startswith("#") for _, text in lines)


def test_show_prints_the_file() -> None:
    assert presets("show", "smoke") == (0, preset_path("smoke").read_text(), "")


def test_copy_makes_a_file_of_that_name_or_one_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for destination, path in {
        "mine.yaml": "mine.yaml",
        "there": "there/smoke.yaml",
        "new/": "new/smoke.yaml",
    }.items():
        done = presets("copy", "smoke", f"{tmp_path}/{destination}")
        assert done == (0, f"{tmp_path / path}\n", "")
        assert (tmp_path / path).read_text() == preset_path("smoke").read_text()
    assert load_experiment(tmp_path / "mine.yaml").name == "mine"


def test_copy_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "smoke.yaml"
    path.write_text("mine")
    for destination in (path, tmp_path):
        code, output, errors = presets("copy", "smoke", destination)
        assert (code, output, errors) == (1, "", f"error: {path} already exists. Give another name.\n")
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("resnet-wgan-gp", "Did you mean resnet-wgangp? `srcli presets list` lists them all."),
        ("Zoo", "`srcli presets list` lists them all."),
        ("../pyproject", "`srcli presets list` lists them all."),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(name: str, hint: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        preset_path(name)
    assert str(caught.value) == f"there is no preset called '{name}'. {hint}"
    for arguments in (["show", name], ["copy", name, "x"]):
        assert presets(*arguments) == (1, "", f"error: {caught.value}\n")


def test_a_file_without_a_head_comment_has_no_description(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: a\n# later\n")
    assert preset_description(path) == ""
