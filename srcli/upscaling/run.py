"""Enlarging many pictures with one network; failures do not stop the others."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from threading import Event

from srcli.console import fail, progress, result, say
from srcli.errors import NoFaceError, UserError
from srcli.generators.description import Description, Generator
from srcli.generators.loading import load_generator
from srcli.upscaling.finding import STANDARD_STREAM
from srcli.upscaling.photographs import FaceOptions, upscale_photographs
from srcli.upscaling.plan import Job
from srcli.upscaling.prefetch import StoppedError, prefetch
from srcli.upscaling.records import Record
from srcli.upscaling.stages import Item, UpscaleOptions, decode, enlarge, write
from srcli.upscaling.suffered import Hints

NO_SIZE = (None, None)


@dataclass
class Outcome:
    """How many outputs were written or stay, how many failed, and how many of these for want of a face."""

    done: int = 0
    failed: int = 0
    without_face: int = 0


def upscale_all(
    jobs: Sequence[Job],
    options: UpscaleOptions,
    as_json: bool = False,
    faces: FaceOptions | None = None,
    quiet: bool = False,
) -> Outcome:
    """Enlarges pictures and prints the path of each output once it is written; reports each failure.

    Args:
        as_json: Whether to print a record for each picture instead of a path.
        faces: How to treat faces in photographs; None to enlarge whole pictures.
        quiet: Whether to report errors only.

    Raises:
        CheckpointError: The generator's output is not a number.
    """
    # Read here because an interrupt would not end a blocking read in another thread.
    stdin = sys.stdin.buffer.read() if any(job.source is None for job in jobs) else b""
    outcome, start, stopped = Outcome(), time.perf_counter(), Event()
    hints, talk = Hints(options.generator.description), _say_nothing if quiet else say
    with progress("pictures") as bar:
        task = bar.add_task("enlarging", total=len(jobs), rate="", note="")

        def advance(share: float) -> None:
            if stopped.is_set():
                raise StoppedError
            bar.advance(task, share)

        if faces is None:
            decoded = prefetch(decode(jobs, options, stdin), stopped)
            enlarged = prefetch(enlarge(decoded, options, advance), stopped)
            written = write(enlarged, options)
        else:
            written = upscale_photographs(jobs, options, faces, stdin, advance)
        with closing(prefetch(written, stopped, depth=64)) as items:
            for done, item in enumerate(items, 1):
                if item.error is None:
                    outcome.done += 1
                    hints.note(item.job.name, item.suffered)
                else:
                    outcome.failed += 1
                    outcome.without_face += isinstance(item.error, NoFaceError)
                    bar.advance(task)
                _report(item, options.generator.description, as_json, talk)
                bar.update(task, rate=f"{done / (time.perf_counter() - start):.3g}")
    for line in hints.lines():
        talk(line)
    return outcome


def load_upscaler(model: str, device: str) -> Generator:
    """Loads a generator that enlarges pictures, as `load_generator` does.

    Raises:
        UserError: The model draws faces from noise, or the device cannot be used.
        CheckpointError: There is no such model, or its weights cannot be read.
    """
    generator = load_generator(model, device)
    if generator.description.takes_noise:
        raise UserError(
            f"{model} draws faces from noise and cannot enlarge pictures",
            "Give a model that enlarges pictures, for example faces.",
        )
    return generator


def check_streams(jobs: Sequence[Job]) -> None:
    """Checks that no picture is read from or written to a terminal.

    Raises:
        UserError: One would be.
    """
    if any(job.source is None for job in jobs) and sys.stdin.isatty():
        raise UserError("standard input is a terminal", "Pipe in a picture, or give a file.")
    if any(job.target is None for job in jobs) and sys.stdout.isatty():
        raise UserError("the picture would be written to a terminal", "Redirect it, or give --out FILE.")


def _say_nothing(_text: str) -> None:
    pass


def _report(item: Item, made_by: Description, as_json: bool, talk: Callable[[str], None]) -> None:
    """Reports a picture's outcome: its result, its error or, by `talk`, anything else."""
    for remark in item.remarks:
        talk(f"{item.job.name}: {remark}")
    if item.error is not None:
        fail(str(item.error))
    if item.is_skipped:
        talk(f"{item.job.target} already exists, skipped")
    if as_json:
        result(_record_of(item, made_by).to_json())
    elif item.error is None and item.job.target is not None and not item.is_skipped:
        result(str(item.job.target))


def _record_of(item: Item, made_by: Description) -> Record:
    (width, height), (output_width, output_height) = item.in_size or NO_SIZE, item.out_size or NO_SIZE
    source = STANDARD_STREAM if item.job.source is None else str(item.job.source)
    seconds = round(item.seconds, 6)
    faces = [
        {"box": [round(edge, 1) for edge in box], "score": round(score, 4)}
        for *box, score in map(astuple, item.faces)
    ]
    if item.is_skipped:
        return Record(source, str(item.job.target), "skipped")
    if item.error is not None:
        return Record(source, None, "failed", str(item.error), width, height, seconds=seconds)
    return Record(
        input=source,
        output=str(item.job.target),
        status="ok",
        width=width,
        height=height,
        output_width=output_width,
        output_height=output_height,
        model=made_by.label,
        sha256=made_by.sha256,
        seconds=seconds,
        suffered=item.suffered.to_json(),
        faces=faces or None,
    )
