"""`srcli help`: the documents as topics."""

import os
import pty
import re
import tomllib
from pathlib import Path

import pytest
from warm import Srcli

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))


def test_without_a_topic_all_documents_are_listed_with_their_titles(srcli: Srcli) -> None:
    done = srcli("help")
    assert done.returncode == 0
    lines = [re.split(r"  +", line, maxsplit=1) for line in done.stdout.splitlines()]
    assert [name for name, _ in lines] == [path.stem for path in DOCUMENTS]
    assert ["health", "Run health"] in lines


def test_in_a_pipe_a_topic_is_its_document_as_it_stands(srcli: Srcli) -> None:
    done = srcli("help", "upscaling")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (ROOT / "docs" / "upscaling.md").read_text().rstrip() + "\n"


def test_on_a_terminal_a_topic_is_laid_out(srcli: Srcli) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "NO_COLOR": "1"}
    with srcli.start("help", "runs", stdout=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # the other end is closed
            pass
        assert process.wait() == 0
    os.close(ours)
    text = shown.decode()
    assert "Guarantees" in text
    assert "## Guarantees" not in text
    assert "`metrics.jsonl`" not in text


def test_a_command_is_explained_by_its_own_help(srcli: Srcli) -> None:
    assert srcli("help", "train").stdout == srcli("train", "--help").stdout


@pytest.mark.parametrize(
    ("topic", "hint"), [("upscal", "Did you mean upscale or upscaling? "), ("zzz", ""), ("../README", "")]
)
def test_an_unknown_topic_names_the_nearest(topic: str, hint: str, srcli: Srcli) -> None:
    done = srcli("help", topic)
    assert (done.returncode, done.stdout) == (1, "")
    expected = f"error: there is no topic or command called {topic!r}. {hint}`srcli help` lists all topics.\n"
    assert done.stderr == expected


def test_the_wheel_takes_every_document_along() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    taken = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for path in DOCUMENTS:
        assert taken[f"docs/{path.name}"] == f"srcli/docs/{path.name}"
