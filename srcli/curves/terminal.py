"""The curves of runs drawn with characters, for terminals and text files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from srcli import console
from srcli.curves.read import QUANTITIES, Curves, Line, visible_range

_HEIGHT = 10
_COLOURS = ("bright_blue", "dark_orange", "green3", "hot_pink", "bright_cyan", "yellow3", "white")
_MARKS = "abcdefghijklmnopqrstuvwxyz"

# A braille character is two columns of four dots; the values are the bits of its code point.
_DOTS = np.array([[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]])
_BLANK = 0x2800
_ACROSS, _DOWN = _DOTS.shape


@dataclass(frozen=True)
class _Frame:
    """What a chart shows, and its size in characters."""

    first_step: int
    last_step: int
    low: float
    high: float
    columns: int


def print_curves(curves: Sequence[Curves], window: int) -> None:
    """Prints the curves on standard output: in colour on a terminal, as plain text to a pipe or a file."""
    output = Console(highlight=False)
    coloured = output.is_terminal and not output.no_color
    with output.capture() as captured:
        output.print(draw_curves(curves, window, output.width, coloured))
    console.result(captured.get().rstrip("\n"), is_coloured=coloured)


def draw_curves(curves: Sequence[Curves], window: int, width: int, coloured: bool) -> Text:
    """The smoothed curves of every quantity, one chart below the other, and a legend.

    Args:
        window: Of the moving average, in generator steps, for the caption.
        width: In characters.
        coloured: Whether colours tell the runs apart; if not, and there are several, letters do.
    """
    drawing = Text(no_wrap=True)
    lettered = not coloured and len(curves) > 1
    for key, title in QUANTITIES.items():
        lines = {index: run.lines[key] for index, run in enumerate(curves) if key in run.lines}
        drawing.append(f"{title}\n", style="bold")
        drawing.append(_chart(lines, width, lettered) if lines else "  not logged by these runs\n")
        drawing.append("\n")
    for index, run in enumerate(curves):
        drawing.append(_mark(index) if lettered else "━━", style=_colour(index))
        drawing.append(f" {console.printable(run.run)}\n")
    return drawing.append("values as logged" if window == 1 else f"mean of the last {window:,} steps")


def _chart(lines: Mapping[int, Line], width: int, lettered: bool) -> Text:
    low, high = visible_range([line.smoothed for line in lines.values()])
    labels = [f"{high:.4g}", *[""] * (_HEIGHT - 2), f"{low:.4g}"]
    margin = max(len(label) for label in labels)
    first = min(int(line.steps[0]) for line in lines.values())
    last = max(int(line.steps[-1]) for line in lines.values())
    frame = _Frame(first, last, low, high, columns=max(width - margin - 2, 40))
    dots = np.zeros((_HEIGHT, frame.columns), np.int64)
    owners = np.full(dots.shape, -1)
    for index, line in lines.items():
        own = _braille(line, frame)
        dots |= own
        owners[own > 0] = index
    chart = Text()
    for row, label in enumerate(labels):
        chart.append(f"{label:>{margin}} ┤")
        for bits, owner in zip(dots[row].tolist(), owners[row].tolist(), strict=True):
            mark = _mark(owner) if lettered else chr(_BLANK + bits)
            chart.append(mark if bits else " ", style=_colour(owner) if bits else "")
        chart.append("\n")
    left = f"step {first:,}"
    chart.append(f"{'':>{margin}} └{'─' * frame.columns}\n")
    return chart.append(f"{'':>{margin}}  {left}{f'{last:,}':>{frame.columns - len(left)}}\n")


def _braille(line: Line, frame: _Frame) -> NDArray[np.int64]:
    """The dots of one line as bits of braille characters, (rows, columns)."""
    columns, rows = frame.columns * _ACROSS, _HEIGHT * _DOWN
    span = max(frame.last_step - frame.first_step, 1)
    # With the borders of the columns among the points, every stretch of the line lies in one column.
    borders = frame.first_step + span * np.arange(columns + 1) / columns
    inside = (borders > line.steps[0]) & (borders < line.steps[-1])
    at = np.union1d(line.steps, borders[inside])
    values = np.interp(at, line.steps, line.smoothed).clip(frame.low, frame.high)
    middles = (at[1:] + at[:-1]) / 2 if len(at) > 1 else at
    column = np.minimum((middles - frame.first_step) * columns // span, columns - 1).astype(np.int64)
    row = np.rint((frame.high - values) / (frame.high - frame.low) * (rows - 1)).astype(np.int64)
    ends = (row[1:], row[:-1]) if len(at) > 1 else (row, row)
    top, bottom = np.full(columns, rows), np.full(columns, -1)
    np.minimum.at(top, column, np.minimum(*ends))
    np.maximum.at(bottom, column, np.maximum(*ends))
    height = np.arange(rows)[:, None]
    filled = (height >= top) & (height <= bottom)  # (rows, columns) of dots
    cells = filled.reshape(_HEIGHT, _DOWN, frame.columns, _ACROSS)
    bits: NDArray[np.int64] = np.einsum("rdca,ad->rc", cells, _DOTS)
    return bits


def _mark(index: int) -> str:
    return _MARKS[index % len(_MARKS)]


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]
