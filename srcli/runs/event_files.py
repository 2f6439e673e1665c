"""Event files for TensorBoard: a run's log, samples and health, as `RUN/tensorboard` holds them."""

import filecmp
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from srcli.console import warn
from srcli.errors import ImageError, UserError
from srcli.health.rules import RULES
from srcli.pictures.opening import decoded
from srcli.runs.directory import RunDirectory
from srcli.runs.log import read_log
from srcli.storage.atomic import atomic_file, name_file
from srcli.storage.bounded import JsonObject, is_number, read_bounded

MAX_SAMPLE_BYTES = 50_000_000

LAST_OF_STEP = "images_per_second"
"""In an entry of the log, what comes after this was measured by an evaluation."""

_PREFIX, _SUFFIX = "events.out.tfevents.", ".srcli"
_OF_THE_LOG = ("step", "seconds")


def require_tensorboard() -> None:
    """Checks that event files can be written.

    Raises:
        UserError: TensorBoard is not installed.
    """
    try:
        import tensorboard.compat.proto.event_pb2
        import tensorboard.summary.writer.record_writer  # noqa: F401
    except ImportError:
        hint = 'Install it with pip install "srcli[tensorboard]".'
        raise UserError("event files for TensorBoard need it, but it is not installed", hint) from None


def folder_of(run: RunDirectory) -> Path:
    """Where a run has its event file, if it has one."""
    return run.path / "tensorboard"


def is_to_be_followed(run: RunDirectory) -> bool:
    """Whether a run that is resumed has an event file that must be kept up to date, and can be."""
    if not (run.is_kept and folder_of(run).is_dir()):
        return False
    try:
        require_tensorboard()
    except UserError as error:
        warn(f"{folder_of(run)} will not be kept up to date: {error}")
        return False
    return True


class EventFile:
    """The event file of a run, which holds what the log and the samples hold, each step once.

    Making it writes the file from the log, in place of an older one that says anything else. The new file has
    another name, by which a running TensorBoard knows it from the one that it has read so far.

    Raises:
        RunError: The folder is not a run, or its log is damaged.
    """

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self.folder = folder_of(run)
        self._rewrite()

    def append(self, entries: Sequence[JsonObject]) -> None:
        """Adds the next entries of the log, which holds them already.

        If another process has replaced the file, it is written anew.
        """
        if not self._path.exists() or self._path.stat().st_size != self._size:
            self._rewrite()
            return
        added = b"".join(self._records.of(entries))
        try:
            with self._path.open("ab") as file:
                file.write(added)
        except OSError as error:
            name_file(error, self._path)
            raise
        self._size += len(added)

    def _rewrite(self) -> None:
        self._records = _Records(self._run)
        by_step = {entry["step"]: entry for entry in read_log(self._run.metrics_file)}
        entries = [by_step[step] for step in sorted(by_step)]
        # Not in its folder, where TensorBoard would read the unfinished file.
        part = self._run.path / ".tensorboard.part"
        with atomic_file(part, durable=False) as file:
            file.write(self._records.head())
            file.writelines(self._records.of(entries))
        self._path = self._put_in_place(part)
        self._size = self._path.stat().st_size

    def _put_in_place(self, part: Path) -> Path:
        """Moves a new file into the folder, unless the one that is there is the same; removes all others."""
        self.folder.mkdir(exist_ok=True)
        older = sorted(self.folder.glob(f"{_PREFIX}*{_SUFFIX}"))
        if older and filecmp.cmp(older[-1], part, shallow=False):
            part.unlink()
            path = older.pop()
        else:
            number = max(int(self._records.started), _number(older[-1]) + 1 if older else 0)
            path = part.replace(self.folder / f"{_PREFIX}{number:010d}{_SUFFIX}")
        for file in older:
            file.unlink()
        return path


class _Records:
    """Turns a run's record and the entries of its log, in order, into the records of an event file."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self.started = _seconds_since_1970(run.record().get("started"))
        self._found: set[str] | None = None  # by the evaluation before

    def head(self) -> bytes:
        """The record that an event file begins with."""
        from tensorboard.compat.proto.event_pb2 import Event

        return _record(Event(wall_time=self.started, file_version="brain.Event:2"))

    def of(self, entries: Sequence[JsonObject]) -> Iterable[bytes]:
        """One record an entry: its numbers, and the sample and health of its step where there are any."""
        from tensorboard.compat.proto.event_pb2 import Event

        samples = {path.name for path in self._run.samples.glob("*.png")}
        for entry in entries:
            seconds = entry["seconds"] if is_number(entry.get("seconds")) else 0
            event = Event(wall_time=self.started + seconds, step=entry["step"])
            for tag, value in _scalars(entry):
                event.summary.value.add(tag=tag, simple_value=value)
            self._add_health(event.summary, entry.get("health"))
            sample = self._run.sample(entry["step"])
            if sample.name in samples:
                _add_picture(event.summary, sample)
            yield _record(event)

    def _add_health(self, summary: Any, findings: object) -> None:
        """Adds a number for each rule, 1 where it found something, and what was found when that is news."""
        if not isinstance(findings, dict):
            return
        for rule in RULES:
            summary.value.add(tag=f"health/{rule.name}", simple_value=float(rule.name in findings))
        if set(findings) != self._found:
            lines = [f"**{name}**: {text}" for name, text in findings.items()]
            _add_text(summary, "health", "\n\n".join(lines) or "nothing found")
        self._found = set(findings)


def _scalars(entry: JsonObject) -> Iterable[tuple[str, float]]:
    """The numbers of an entry with their tags: `training/l1`, `evaluation/psnr`."""
    group = "training"
    for name, value in entry.items():
        if is_number(value) and name not in _OF_THE_LOG:
            yield f"{group}/{_encodable(name)}", float(value)
        if name == LAST_OF_STEP:
            group = "evaluation"


def _add_picture(summary: Any, path: Path) -> None:
    """Adds a sample as it is stored; one that is damaged is named and left out."""
    try:
        content = read_bounded(path, MAX_SAMPLE_BYTES)
        with decoded(io.BytesIO(content), str(path)) as picture:
            width, height = picture.size
    except (ImageError, OSError) as error:
        warn(f"{error}; it is left out")
        return
    value = summary.value.add(tag="samples")
    value.image.width, value.image.height, value.image.colorspace = width, height, 3
    value.image.encoded_image_string = content


def _add_text(summary: Any, tag: str, text: str) -> None:
    from tensorboard.compat.proto.types_pb2 import DT_STRING

    value = summary.value.add(tag=tag)
    value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = DT_STRING
    value.tensor.tensor_shape.dim.add(size=1)
    value.tensor.string_val.append(_encodable(text).encode())


def _encodable(text: str) -> str:
    """Text without lone surrogates, which JSON can hold and a stranger's log may."""
    return text.encode(errors="replace").decode()


def _record(event: Any) -> bytes:
    """An event framed with its length and checksums."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    framed = io.BytesIO()
    RecordWriter(framed).write(event.SerializeToString(deterministic=True))
    return framed.getvalue()


def _number(path: Path) -> int:
    digits = path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    return int(digits) if digits.isdecimal() else 0


def _seconds_since_1970(text: object) -> float:
    """The time of a record, which may come from a stranger; 0 where it says none."""
    try:
        return max(datetime.fromisoformat(str(text)).timestamp(), 0.0)
    except (ValueError, OverflowError, OSError):
        return 0.0
