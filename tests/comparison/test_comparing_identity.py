"""`compare --identity`: where its figure stands, and its messages."""

import html
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from srcli.cli.main import app
from srcli.comparison.compare import compare
from srcli.comparison.test_faces import Faces
from srcli.errors import UserError
from srcli.metrics.table import IDENTITY, IMAGE_METRICS


def test_the_figure_stands_beside_the_others_with_its_interval(tmp_path: Path) -> None:
    pytest.importorskip("dlib", reason="needs the extra `identity`")
    arguments = ["compare", "faces", "--identity", "--limit", "3", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    rows = json.loads((tmp_path / "out" / "metrics.json").read_text())["enlarged"]
    assert all(set(row) == {"kind", "model", "identity", *(m.key for m in IMAGE_METRICS)} for row in rows)
    bicubic, label = rows[1]["identity"], rows[-1]["identity"]
    assert label == {"mean": 0, "low": 0, "high": 0}
    assert 0 < bicubic["low"] < bicubic["mean"] < bicubic["high"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert IDENTITY.remark in html.unescape(page)
    assert f"{IDENTITY.number(bicubic['low'])} to {IDENTITY.number(bicubic['high'])}" in page


def test_models_that_take_no_inputs_refuse() -> None:
    faces = Faces(np.zeros((2, 64, 64, 3), np.uint8), "black", "0" * 64)
    with pytest.raises(UserError, match="--identity compares outputs with their labels"):
        compare([], faces, identity=True)


def test_without_the_extra_one_line_says_how_to_install_it(tmp_path: Path) -> None:
    without = "import sys; sys.modules['dlib'] = None; from srcli.cli.main import main; main()"
    arguments = ["compare", "faces", "--identity", "--limit", "2", "--out", "out"]
    command = [sys.executable, "-c", without, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert "identity needs dlib and its models. Install them: pip install 'srcli[identity]'." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
