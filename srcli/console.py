"""Results on standard output, messages on standard error; of several processes, only rank 0 prints."""

import errno
import os
import stat
import sys
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text

from srcli.errors import UserError

# Unicode categories that a terminal interprets or hides: controls (tab and newline among them), format
# characters (bidirectional marks, joiners, invisible ones), line and paragraph separators.
_OBEYED = frozenset(("Cc", "Cf", "Zl", "Zp"))

LEAST_BAR, SHARED_BAR, WIDEST_BAR = 10, 20, 40
"""Width of a progress bar in columns: minimum, beside remarks, maximum."""
NOTES = 90
"""Columns left to remarks before the bar grows to its maximum."""

_RANK = ContextVar("rank", default=0)


def talk_as(rank: int) -> None:
    """Sets this process's rank; from now on, ranks other than 0 print errors only."""
    _RANK.set(rank)


def is_talking() -> bool:
    """Whether this process prints results and messages: it works alone or is rank 0."""
    return _RANK.get() == 0


def printable(text: str) -> str:
    """Text with the characters that a terminal would interpret written as Python escapes, on one line.

    File names, also those inside archives, may come from anyone.
    """
    obeyed = {character for character in text if unicodedata.category(character) in _OBEYED}
    return text.translate({ord(it): it.encode("unicode_escape").decode("ascii") for it in obeyed})


def talk_console() -> Console:
    """A rich console on standard error, silent on all ranks but 0."""
    return Console(stderr=True, quiet=not is_talking(), highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Prints one plain line on standard error."""
    if is_talking():
        _write(text, colour=None)


def warn(text: str) -> None:
    """Prints a line on standard error, starting with `warning:`."""
    if is_talking():
        _write(f"warning: {text}", colour=33)


def fail(text: str) -> None:
    """Prints a line on standard error, starting with `error:` and, on ranks other than 0, the rank."""
    rank = "" if is_talking() else f"rank {_RANK.get()}: "
    _write(f"error: {rank}{text}", colour=31)


def result(text: str, *, is_coloured: bool = False) -> None:
    """Prints a result on standard output, plain, so that it can be piped.

    File names that are not valid text are written byte for byte. On a terminal, characters that it would
    interpret are escaped, unless the text is coloured.

    Raises:
        UserError: Standard output cannot be written, for example because the disk is full.
    """
    if not is_talking():
        return
    if sys.stdout.isatty() and not is_coloured:
        text = "\n".join(map(printable, text.split("\n")))
    try:
        _write_result(text + "\n")
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise UserError(f"standard output cannot be written: {error.strerror}") from error


def _write_result(text: str) -> None:
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode(text))
    sys.stdout.flush()


def show_markdown(text: str) -> None:
    """Prints a Markdown document on standard output, which is a terminal, laid out for it."""
    from rich.markdown import Markdown

    Console(highlight=False).print(Markdown(text))


def discard_output() -> None:
    """Discards what is not yet written to standard output, so that flushing at exit cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def leave_lost_terminal() -> None:
    """Discards further output to a terminal that is gone."""
    for descriptor in (1, 2):
        with suppress(OSError):  # closed from the start
            if stat.S_ISCHR(os.fstat(descriptor).st_mode) and not os.isatty(descriptor):
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def progress(unit: str) -> Progress:
    """A progress bar on standard error with rate and time left; shown on a terminal only.

    Args:
        unit: What is counted, in the plural. Tasks have the fields `rate` and `note`: remarks separated by
            commas, of which as many are shown as fit.
    """
    return FittingProgress(unit, talk_console())


class FittingProgress(Progress):
    """A progress bar that keeps the bar, the count and the time left on narrow terminals.

    Dropped in turn: remarks, last first, then the time taken, the rate, the name.
    """

    def __init__(self, unit: str, console: Console) -> None:
        self._terminal = console
        self._name, self._bar = TextColumn("{task.description}", markup=False), BarColumn()
        self._rate, self._elapsed = TextColumn("{task.fields[rate]} " + unit + "/s"), TimeElapsedColumn()
        super().__init__(
            self._name,
            self._bar,
            MofNCompleteColumn(),
            self._rate,
            self._elapsed,
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
            # Rich would send redirected results to standard error while the bar is shown.
            redirect_stdout=sys.stdout.isatty(),
        )

    def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
        """The table that rich shows: a row for each task."""
        visible = [task for task in tasks if task.visible]
        cells: dict[str | ProgressColumn, list[RenderableType]] = {
            column: [column if isinstance(column, str) else column(task) for task in visible]
            for column in self.columns
        }
        widths = {
            column: max((self._width(cell) for cell in column_cells), default=0) + 1
            for column, column_cells in cells.items()
            if column is not self._bar
        }
        for column in (self._elapsed, self._rate, self._name):
            if sum(widths.values()) + LEAST_BAR > self._terminal.width:
                del widths[column]
        rest = max(self._terminal.width - sum(widths.values()), 1)
        has_notes = any(task.fields["note"] for task in visible)
        # A few fixed widths: a bar that made way for each remark would flicker.
        self._bar.bar_width = min(rest, max(SHARED_BAR, min(WIDEST_BAR, rest - (NOTES if has_notes else 0))))
        shown = [column for column in self.columns if column is self._bar or column in widths]
        drawn = Table.grid(*(Column(no_wrap=True) for _ in shown), padding=(0, 1))
        for row, task in enumerate(visible):
            notes = _fitting(task.fields["note"], rest - self._bar.bar_width - 1)
            bar = self._bar(task)
            row_cells = [bar if column is self._bar else cells[column][row] for column in shown]
            drawn.add_row(*row_cells, *([notes] if notes else []))
        return drawn

    def _width(self, cell: RenderableType) -> int:
        return Measurement.get(self._terminal, self._terminal.options, cell).maximum


def _fitting(notes: str, room: int) -> str:
    """As many of the first remarks as fit."""
    fitting = ""
    for note in notes.split(", "):
        longer = f"{fitting}, {note}" if fitting else note
        if len(longer) > room:
            break
        fitting = longer
    return fitting


def table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """Prints a table on standard error; the first column is left-aligned, the others right-aligned."""
    drawn = Table(title=_plain(title), title_justify="left")
    for index, column in enumerate(columns):
        drawn.add_column(_plain(column), justify="left" if index == 0 else "right")
    for row in rows:
        drawn.add_row(*(_plain(str(cell)) for cell in row))
    talk_console().print(drawn)


def _plain(text: str) -> Text:
    """Text without markup or terminal control characters."""
    return Text(printable(text))


def _write(text: str, colour: int | None) -> None:
    """Writes to `sys.stderr`, which a progress bar hooks to keep other lines above itself."""
    text = printable(text)
    coloured = colour and talk_console().color_system
    try:
        sys.stderr.write(f"\033[{colour}m{text}\033[0m\n" if coloured else text + "\n")
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        leave_lost_terminal()  # losing the terminal is no reason to stop working
