"""Enlarging many pictures with one network; failures do not stop the others."""

import sys
import time
from collections.abc import Sequence
from contextlib import closing
from threading import Event

from srcli import __version__
from srcli.console import fail, progress, result, say
from srcli.errors import UserError
from srcli.upscaling.finding import STANDARD_STREAM
from srcli.upscaling.plan import Job
from srcli.upscaling.prefetch import StoppedError, prefetch
from srcli.upscaling.records import Record, Status
from srcli.upscaling.stages import Item, UpscaleOptions, decode, enlarge, write
from srcli.upscaling.tiles import Network
from srcli.upscaling.writing import DEFAULT_QUALITY, Provenance


def upscale_all(
    jobs: Sequence[Job],
    network: Network,
    label: str,
    sha256: str,
    quality: int | None = None,
    consistent: bool = False,
    compare: bool = False,
    as_json: bool = False,
) -> int:
    """Enlarges pictures and prints the path of each output once it is written.

    Args:
        jobs: The pictures and their outputs.
        network: The generator.
        label: The network's name, for messages and for the outputs' metadata.
        sha256: Of the network's weight file, for the outputs' metadata.
        quality: 1 to 100, for JPEG and WebP; None for 95.
        consistent: Whether to make the output's area average equal the input.
        compare: Whether to put the input's bicubic enlargement to the left of the output.
        as_json: Whether to print a record for each picture instead of a path.

    Returns:
        The number of failures, each reported on standard error.

    Raises:
        CheckpointError: The network's output is not a number.
    """
    provenance = Provenance(f"srcli {__version__}", f"{label}, sha256 {sha256}")
    options = UpscaleOptions(network, label, quality or DEFAULT_QUALITY, provenance, consistent, compare)
    # Read here because an interrupt would not end a blocking read in another thread.
    stdin = sys.stdin.buffer.read() if any(job.source is None for job in jobs) else b""
    failed, start, stopped = 0, time.perf_counter(), Event()
    with progress("pictures") as bar:
        task = bar.add_task("enlarging", total=len(jobs), rate="", note="")

        def advance(share: float) -> None:
            if stopped.is_set():
                raise StoppedError
            bar.advance(task, share)

        decoded = prefetch(decode(jobs, options, stdin), stopped)
        enlarged = prefetch(enlarge(decoded, options, advance), stopped)
        with closing(prefetch(write(enlarged, options), stopped, depth=64)) as items:
            for done, item in enumerate(items, 1):
                if item.error is not None:
                    failed += 1
                    bar.advance(task)
                _report(item, label, sha256, as_json)
                bar.update(task, rate=f"{done / (time.perf_counter() - start):.3g}")
    return failed


def check_streams(jobs: Sequence[Job]) -> None:
    """Checks that no picture is read from or written to a terminal.

    Raises:
        UserError: One would be.
    """
    if any(job.source is None for job in jobs) and sys.stdin.isatty():
        raise UserError("standard input is a terminal", "Pipe in a picture, or give a file.")
    if any(job.target is None for job in jobs) and sys.stdout.isatty():
        raise UserError("the picture would be written to a terminal", "Redirect it, or give --out FILE.")


def _report(item: Item, label: str, sha256: str, as_json: bool) -> None:
    """Reports a picture's outcome: results on standard output, messages on standard error."""
    for remark in item.remarks:
        say(f"{item.job.name}: {remark}")
    if item.error is not None:
        fail(str(item.error))
    if as_json:
        result(_record_of(item, label, sha256).to_json())
    elif item.error is None and item.job.target is not None:
        result(str(item.job.target))


def _record_of(item: Item, label: str, sha256: str) -> Record:
    width, height = item.in_size or (None, None)
    source = STANDARD_STREAM if item.job.source is None else str(item.job.source)
    seconds = round(item.seconds, 6)
    if item.error is not None:
        return Record(source, None, Status.FAILED, str(item.error), width, height, seconds=seconds)
    return Record(
        input=source,
        output=str(item.job.target),
        status=Status.OK,
        width=width,
        height=height,
        output_width=item.out_size and item.out_size[0],
        output_height=item.out_size and item.out_size[1],
        model=label,
        sha256=sha256,
        seconds=seconds,
    )
