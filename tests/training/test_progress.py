"""Progress bars on terminals of every width, and progress messages without a terminal."""

import io
import re
from pathlib import Path

import pytest
import torch
from rich.console import Console
from tiny_experiments import pack_faces, small_dataset, small_experiment

from srcli.console import FittingProgress
from srcli.runs.directory import create_run
from srcli.training import loop, reporting
from srcli.training.reporting import describe_step, live_terms
from srcli.training.sessions import start_run
from srcli.training.state import build_state
from srcli.training.timer import Timer

TERMS = {
    "critic_loss": -12.345,
    "generator_loss": 0.98765,
    "l1": 0.012345,
    "wasserstein": 12.345,
    "gradient_penalty": 0.0123,
}


def drawn(width: int, name: str = "resnet-nobn-wgangp", note: str = "") -> str:
    """The lines of a bar at step 12,345 of 20,000 as a terminal of that width shows them."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    bar = FittingProgress("steps", console)
    bar.add_task(name, total=20000, completed=12345, rate="0.25", note=note)
    with console.capture() as captured:
        console.print(bar.get_renderable())
    return captured.get()


def bar_width(line: str) -> int:
    """Columns of the bar, the remaining ones blank without colours."""
    found = re.search("━[━╸╺ ]* (?=12345)", line)
    assert found is not None
    return len(found[0]) - 1


@pytest.mark.parametrize("width", [40, 60, 80, 110, 200])
def test_bar_count_and_time_left_are_whole_at_every_width(width: int) -> None:
    line = drawn(width, note=live_terms(TERMS)).removesuffix("\n")
    assert "\n" not in line
    assert len(line) <= width
    assert "12345/20000" in line
    assert "left -:--:--" in line
    assert bar_width(line) >= 10


def test_terms_are_shown_whole_and_as_many_as_fit() -> None:
    assert "critic_loss" not in drawn(80, note=live_terms(TERMS))
    line = drawn(120, name="smoke", note=live_terms(TERMS))
    assert line.endswith("critic_loss -12.3, generator_loss 0.988\n")
    assert bar_width(line) == 20
    assert drawn(200, note=live_terms(TERMS)).endswith("wasserstein 12.3, gradient_penalty 0.0123\n")


def test_a_narrow_terminal_loses_the_time_taken_then_the_rate_then_the_name() -> None:
    assert "0:00:00" in drawn(80)
    assert ("0:00:00" in drawn(70), "steps/s" in drawn(70)) == (False, True)
    assert ("steps/s" in drawn(56), "resnet-nobn-wgangp" in drawn(56)) == (False, True)
    assert "resnet-nobn-wgangp" not in drawn(40)


def test_a_name_is_no_markup() -> None:
    assert "[red]run" in drawn(80, name="[red]run")


def test_a_timer_rings_after_its_first_and_then_after_every_interval() -> None:
    now = 100.0
    timer = Timer(60, first=10, clock=lambda: now)
    rung = []
    for now in (100.0, 109.0, 110.0, 111.0, 169.0, 175.0, 230.0, 235.0):
        rung += [now] if timer.rings() else []
    assert rung == [110.0, 175.0, 235.0]


def test_without_a_terminal_a_line_says_how_far_training_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"step": 1500, **TERMS}
    assert describe_step(entry, 20_000, 4.0) == (
        "step 1,500 of 20,000, 0.25 steps/s, 20 h 33 min left; critic_loss -12.3, generator_loss 0.988,"
        " l1 0.0123, wasserstein 12.3, gradient_penalty 0.0123"
    )
    monkeypatch.setattr(reporting, "SECONDS_TO_FIRST_LINE", 0)
    start_run(
        small_experiment(steps=4, evaluate_every=100),
        [pack_faces(tmp_path)],
        tmp_path / "run",
        torch.device("cpu"),
        [],
    )
    lines = [line for line in capsys.readouterr().err.splitlines() if " of 4, " in line]
    assert len(lines) == 1
    assert lines[0].startswith("step 1 of 4, ")
    assert "left; critic_loss" in lines[0]


def test_the_record_of_a_run_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_NOTES", 0)
    experiment = small_experiment(steps=4, evaluate_every=100, checkpoint_every=100)
    run = create_run(tmp_path / "run", experiment.to_yaml(), {"status": "running", "step": 0})
    recorded = []
    state = build_state(experiment, torch.device("cpu"))
    stop = loop.StopRequest()
    loop.train(run, state, small_dataset(), lambda _: recorded.append(run.record()["step"]), stop)
    assert recorded == [0, 1, 2, 3]
    assert run.record()["step"] == 4
