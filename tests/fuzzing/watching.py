"""Running the program on one hostile input, and observing what it does besides raising our errors."""

import contextlib
import io
import os
import re
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

from srcli.errors import UserError

MOST_SECONDS = 10.0
MOST_BYTES = 1_000_000_000

# What a terminal would obey: C0 but for tab and newline, DEL, C1, and marks that turn text around.
TERMINAL_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
FORBIDDEN_EVENTS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "socket.connect",
    "pickle.find_class",
)
WRITING_EVENTS = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.symlink",
    "os.link",
    "os.rmdir",
    "os.chmod",
    "os.truncate",
)


class Kind(Protocol):
    """One kind of untrusted input."""

    name: str

    def hostile(self, random: Random) -> Mapping[str, bytes]:
        """The files of one hostile input by name, a function of the random numbers alone."""

    def use(self, given: Path, work: Path, /) -> None:
        """Uses the files in `given` as a user would, writing only `out*` to `work`."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one input; seconds are CPU time, unaffected by other load on the machine.

    Attributes:
        kind: `taken`, `refused`, or what must not be: `traceback`, `slow`, `memory`, `wrote`, `terminal`.
        detail: The refusal, or what went wrong.
    """

    kind: str
    detail: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0

    @property
    def is_bad(self) -> bool:
        return self.kind not in ("taken", "refused")


def watch(kind: Kind, number: int, sandbox: Path) -> Outcome:
    """Runs the program on the kind's input of that number, in this process."""
    given, work = fresh_folders(sandbox)
    write_input(kind, number, given)
    _reset_peak()
    started = time.process_time()
    printed, outcome = io.StringIO(), Outcome("taken")
    with (
        _Guard(work) as guard,
        contextlib.redirect_stderr(printed),
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            kind.use(given, work)
        except UserError as error:
            outcome = Outcome("refused", str(error))
        except BaseException as error:
            outcome = Outcome("traceback", "".join(traceback.format_exception(error)))
    seconds, peak = time.process_time() - started, peak_bytes()
    outcome = _judge(outcome, guard, work, printed.getvalue(), seconds, peak)
    return Outcome(outcome.kind, outcome.detail, seconds, peak)


def write_input(kind: Kind, number: int, given: Path) -> None:
    """Writes the kind's input of that number into a folder."""
    for name, content in kind.hostile(Random(f"{kind.name} {number}")).items():
        path = given / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def fresh_folders(sandbox: Path) -> tuple[Path, Path]:
    """Empty folders for what is given and for what is written."""
    given, work = sandbox / "given", sandbox / "work"
    for folder in (given, work):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    return given, work


def peak_bytes() -> int:
    """This process's peak memory since `_reset_peak`; 0 if the system does not report it."""
    with contextlib.suppress(OSError):
        match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
        return int(match[1]) * 1024 if match else 0
    return 0


def _reset_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _judge(outcome: Outcome, guard: "_Guard", work: Path, printed: str, seconds: float, peak: int) -> Outcome:
    leftovers = [path.name for path in work.iterdir() if not path.name.startswith("out")]
    if outcome.is_bad:
        return outcome
    if guard.violations or leftovers:
        return Outcome("wrote", "; ".join([*guard.violations, *leftovers]))
    if seconds > MOST_SECONDS:
        return Outcome("slow", f"{seconds:.1f} s: {outcome.detail}")
    if peak > MOST_BYTES:
        return Outcome("memory", f"{peak / 1e6:,.0f} MB: {outcome.detail}")
    if TERMINAL_CONTROLS.search(printed):
        return Outcome("terminal", repr(printed)[:500])
    return outcome


class _Guard:
    """Records writes outside a folder, started programs and connections within a block."""

    def __init__(self, work: Path) -> None:
        self.work = os.path.realpath(work)
        self.violations: list[str] = []

    def __enter__(self) -> "_Guard":
        _guards.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _guards.remove(self)

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FORBIDDEN_EVENTS:
            self.violations.append(f"{event} {arguments!r:.200}")
        elif event == "open" and _is_writing(arguments):
            self._check(event, arguments[0])
        elif event in WRITING_EVENTS:
            by_handle = event in ("os.remove", "os.rmdir") and arguments[1] != -1  # shutil.rmtree in a folder
            for path in () if by_handle else arguments[:2]:
                self._check(event, path)

    def _check(self, event: str, path: object) -> None:
        if isinstance(path, (str, bytes)):
            place = os.path.realpath(os.fsdecode(path))
            if not place.startswith((self.work, "/dev/null")) and "__pycache__" not in place:
                self.violations.append(f"{event} {place}")


def _is_writing(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


_guards: list[_Guard] = []


def _see_event(event: str, arguments: tuple[Any, ...]) -> None:
    if _guards:
        _guards[-1].see(event, arguments)


sys.addaudithook(_see_event)


@contextlib.contextmanager
def sandbox_in(folder: Path) -> Iterator[Path]:
    """A temporary folder for one worker's inputs and outputs."""
    place = folder / f"worker-{os.getpid()}"
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
