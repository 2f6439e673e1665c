"""Progress bars on terminals of every width."""

import io
import re

import pytest
from rich.console import Console

from srcli.console import FittingProgress
from srcli.training.reporting import live_terms

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
    """Columns of the bar, of which those to come are blank without colours."""
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
