"""Curves: reading logs, smoothing, and writing files and terminal plots."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from warm import Srcli

from srcli.curves import picture as curve_picture
from srcli.curves import read, write
from srcli.curves import terminal as curve_terminal
from srcli.errors import RunError, UserError
from srcli.runs.directory import create_run

Entries = Iterable[dict[str, Any]]


def entry(step: int, **changes: float) -> dict[str, Any]:
    return {"step": step, "critic_loss": -step / 10, "generator_loss": step / 5, "l1": 1 / step, **changes}


def make_run(path: Path, entries: Entries, last_words: str = "") -> Path:
    run = create_run(path, "", {"status": "running"})
    lines = [json.dumps(one) + "\n" for one in entries]
    run.metrics_file.write_text("".join(lines) + last_words, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A run cut off while writing, a longer one that logs every other step, and one without L1."""
    parent = tmp_path_factory.mktemp("runs")
    without_l1 = [{"step": s, "critic_loss": 5 + s / 10, "generator_loss": s / 5} for s in range(1, 31)]
    return [
        make_run(parent / "unfinished", map(entry, range(1, 41)), '{"step": 41, "critic_l'),
        make_run(parent / "sparse", (entry(s, critic_loss=-s / 20) for s in range(2, 121, 2))),
        make_run(parent / "noise", without_l1),
    ]


def plot_curves(srcli: Srcli, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the command without a terminal."""
    return srcli("plot-curves", *arguments, env={**os.environ, "COLUMNS": "80"})


@pytest.mark.parametrize("window", [1, 4, 100])
def test_the_moving_average_agrees_with_a_convolution(window: int) -> None:
    values = np.random.default_rng(0).normal(1e3, 1, size=60)
    ones = np.ones(window)
    expected = np.convolve(values, ones)[:60] / np.convolve(np.ones(60), ones)[:60]
    np.testing.assert_allclose(read.moving_average(np.arange(1, 61), values, window), expected, rtol=1e-12)


def test_the_window_of_the_moving_average_is_counted_in_steps_not_in_lines() -> None:
    steps, values = np.array([10, 20, 30, 45]), np.array([1.0, 3.0, 5.0, 7.0])
    np.testing.assert_allclose(read.moving_average(steps, values, 20), [1, 2, 4, 6])
    np.testing.assert_allclose(read.moving_average(steps, values, 5), values)


def test_an_unfinished_run_is_read_up_to_its_last_whole_line(runs: list[Path]) -> None:
    [run] = read.read_curves(runs[:1], window=5)
    assert run.run == "unfinished"
    assert run.lines["critic_loss"].steps.tolist() == list(range(1, 41))
    assert run.lines["critic_loss"].raw[-1] == -4.0
    assert run.lines["critic_loss"].smoothed[-1] == pytest.approx(-3.8)


def test_a_quantity_that_a_run_never_logs_is_left_out(runs: list[Path]) -> None:
    [run] = read.read_curves(runs[2:], window=5)
    assert list(run.lines) == ["critic_loss", "generator_loss"]


def test_values_that_are_not_finite_are_left_out(tmp_path: Path) -> None:
    path = make_run(
        tmp_path / "run", [entry(1), entry(2, l1=float("nan")), entry(3, l1=float("inf")), entry(4)]
    )
    [run] = read.read_curves([path], window=2)
    assert run.lines["l1"].steps.tolist() == [1, 4]
    assert run.lines["critic_loss"].steps.tolist() == [1, 2, 3, 4]


def test_runs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = [make_run(tmp_path / parent / "run", [entry(1)]) for parent in ("a", "b")]
    assert [run.run for run in read.read_curves(paths, 1)] == ["a/run", "b/run"]
    assert [run.run for run in read.read_curves(paths[:1], 1)] == ["run"]


def test_a_run_given_twice_is_refused(runs: list[Path]) -> None:
    with pytest.raises(UserError, match="given twice"):
        read.read_curves([runs[0], runs[0] / ".." / "unfinished"], 1)


def test_a_folder_that_is_not_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run"):
        read.read_curves([tmp_path], 1)


@pytest.mark.parametrize("last_words", ["", '{"step": 1, "cri'])
def test_a_run_without_a_whole_line_is_refused(tmp_path: Path, last_words: str) -> None:
    path = make_run(tmp_path / "run", [], last_words)
    with pytest.raises(RunError, match="holds no losses yet"):
        read.read_curves([path], 1)


def test_the_table_holds_every_value_as_logged_and_smoothed(runs: list[Path]) -> None:
    lines = read.read_curves(runs, window=4)
    rows = list(csv.DictReader(io.StringIO(write.curves_csv(lines))))
    assert list(rows[0])[:4] == ["run", "step", "l1", "l1_smoothed"]
    assert len(rows) == 40 + 60 + 30
    sparse = [row for row in rows if row["run"] == "sparse"]
    assert (sparse[2]["step"], float(sparse[2]["critic_loss"])) == ("6", -0.3)
    assert float(sparse[2]["critic_loss_smoothed"]) == pytest.approx(-0.25)
    assert rows[-1] == {
        "run": "noise",
        "step": "30",
        "l1": "",
        "l1_smoothed": "",
        "critic_loss": "8.0",
        "critic_loss_smoothed": str(lines[2].lines["critic_loss"].smoothed[-1]),
        "generator_loss": "6.0",
        "generator_loss_smoothed": str(lines[2].lines["generator_loss"].smoothed[-1]),
    }


def test_the_figure_has_one_panel_a_quantity_and_a_line_a_run(runs: list[Path]) -> None:
    lines = read.read_curves(runs, window=4)
    figure = curve_picture.draw_curves(lines, window=4)
    titles = [panel.get_title(loc="left") or panel.get_title() for panel in figure.axes]
    assert titles == ["L1 loss", "critic loss", "generator loss"]
    drawn = [[line.get_xdata().tolist() for line in panel.lines] for panel in figure.axes]
    sparse, unfinished = list(range(2, 121, 2)), list(range(1, 41))
    assert drawn[0] == [unfinished, sparse] * 2  # as logged, then smoothed
    assert len(drawn[1]) == len(drawn[2]) == 6
    smoothed = figure.axes[1].lines[4]
    np.testing.assert_allclose(smoothed.get_ydata(), lines[1].lines["critic_loss"].smoothed)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["unfinished", "sparse", "noise"]
    assert len({line.get_color() for line in figure.axes[1].lines}) == 3


def test_a_spike_at_the_start_does_not_flatten_the_rest(tmp_path: Path) -> None:
    entries = [entry(s, critic_loss=1e6 if s < 3 else s / 1000) for s in range(1, 1001)]
    lines = read.read_curves([make_run(tmp_path / "run", entries)], window=1)
    low, high = curve_picture.draw_curves(lines, 1).axes[1].get_ylim()
    assert low < 0.1
    assert 0.9 < high < 1.2


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_equal_curves_give_equal_pictures(runs: list[Path], tmp_path: Path, ending: str) -> None:
    lines = read.read_curves(runs, window=4)
    for name in ("one", "other"):
        write.write_curves(tmp_path / f"{name}{ending}", lines, window=4)
    assert (tmp_path / f"one{ending}").read_bytes() == (tmp_path / f"other{ending}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_pictures_have_the_format_of_their_extension(runs: list[Path], tmp_path: Path) -> None:
    lines = read.read_curves(runs, window=4)
    for ending in (".PNG", ".svg", ".pdf"):
        write.write_curves(tmp_path / f"curves{ending}", lines, window=4)
    with Image.open(tmp_path / "curves.PNG") as image:
        assert (image.format, image.size) == ("PNG", (1920, 672))
    assert ElementTree.parse(tmp_path / "curves.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert (tmp_path / "curves.pdf").read_bytes().startswith(b"%PDF-")


def test_a_rising_line_rises_in_the_terminal(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", map(entry, range(1, 101)))
    drawing = curve_terminal.draw_curves(read.read_curves([path], 1), 1, width=60, coloured=True).plain
    rows = drawing.partition("generator loss\n")[2].splitlines()[:10]
    assert all(len(row) == 60 for row in rows)
    firsts = [next(i for i, sign in enumerate(row) if "\u2800" < sign <= "\u28ff") for row in rows]
    assert firsts == sorted(firsts, reverse=True)
    assert len(set(firsts)) == 10
    assert "step 1" in drawing
    assert drawing.endswith("values as logged")


def test_without_colour_letters_tell_runs_apart(runs: list[Path]) -> None:
    drawing = curve_terminal.draw_curves(read.read_curves(runs, 4), 4, width=60, coloured=False).plain
    assert "a unfinished\nb sparse\nc noise\n" in drawing
    critic = drawing.partition("critic loss\n")[2].partition("generator loss")[0]
    assert {"a", "b", "c"} <= set(critic)
    l1 = drawing.partition("L1 loss\n")[2].partition("critic loss")[0].partition("└")[0]
    assert "c" not in l1


def test_a_run_of_one_step_and_constant_values_can_be_drawn(tmp_path: Path) -> None:
    lines = read.read_curves([make_run(tmp_path / "run", [entry(1)])], 1)
    drawing = curve_terminal.draw_curves(lines, 1, width=60, coloured=True).plain
    assert sum("\u2800" < sign <= "\u28ff" for sign in drawing) == 3
    low, high = curve_picture.draw_curves(lines, 1).axes[0].get_ylim()
    assert low < 1 < high


def test_the_command_writes_a_file_and_prints_its_path(
    runs: list[Path], tmp_path: Path, srcli: Srcli
) -> None:
    out = tmp_path / "new" / "curves.csv"
    done = plot_curves(srcli, *runs, "--out", out)
    assert (done.returncode, done.stdout) == (0, f"{out}\n")
    assert done.stderr == "no L1 loss logged by noise\n"
    assert len(out.read_text().splitlines()) == 131


def test_the_command_draws_plain_text_into_a_pipe(runs: list[Path], srcli: Srcli) -> None:
    done = plot_curves(srcli, *runs, "--window", 1)
    assert done.returncode == 0
    assert done.stdout.startswith("L1 loss\n")
    assert done.stdout.endswith("values as logged\n")
    assert "\x1b" not in done.stdout


def test_an_existing_file_is_replaced_only_with_force(runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "curves.csv"
    out.write_text("mine")
    with pytest.raises(UserError, match="already exists"):
        write.check_output(out, overwrite=False)
    write.check_output(out, overwrite=True)
    write.write_curves(out, read.read_curves(runs, 1), 1)
    assert out.read_text().startswith("run,step")


@pytest.mark.parametrize("name", ["curves", "curves.gif", "folder.png"])
def test_an_unwritable_output_is_refused_before_any_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UserError):
        write.check_output(tmp_path / name, overwrite=True)


def test_curves_are_plotted_without_torch(runs: list[Path], tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from srcli.cli.plot_curves import plot_curves
plot_curves([Path({str(runs[0])!r})], out=Path({str(tmp_path / "curves.png")!r}), terminal=True)
assert "matplotlib" in sys.modules
assert not {{"torch", "torchvision", "pydantic", "matplotlib.pyplot"}} & set(sys.modules), "heavy import"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 10**400, 3.4e38])
@pytest.mark.parametrize("alone", [False, True], ids=["among others", "alone"])
def test_values_beyond_float32_are_left_out_and_the_largest_are_drawn(
    value: float, alone: bool, tmp_path: Path, srcli: Srcli
) -> None:
    steps = range(1, 31)
    huge = (entry(s, l1=value if alone or s % 3 else 0.5, critic_loss=value) for s in steps)
    run = make_run(tmp_path / "run", huge)
    done = plot_curves(srcli, run, "--terminal", "--out", tmp_path / "out.png")
    assert (done.returncode, "Traceback" in done.stderr, "Warning" in done.stderr) == (0, False, False)
    lines = read.read_curves([run], 10)[0].lines
    is_drawn = value == 3.4e38
    assert ("critic_loss" in lines) == is_drawn
    assert ("l1" in lines) == (is_drawn or not alone)
    if "l1" in lines:
        assert len(lines["l1"].steps) == (30 if is_drawn else 10)
        assert np.isfinite(lines["l1"].smoothed).all()


@pytest.mark.parametrize("value", [0.25, 1e20, -3.4e38])
def test_a_constant_has_a_range_about_it(value: float) -> None:
    low, high = read.visible_range([np.full(5, value)])
    assert low < value < high
    assert value != 0.25 or (low, high) == (-0.75, 1.25)
