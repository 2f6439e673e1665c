"""Enlarging one picture after the other; one that fails does not stop the others."""

import io
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from srcli import __version__
from srcli.console import fail, progress, result, say
from srcli.errors import ImageError, UserError
from srcli.runs import replacing
from srcli.upscaling.decoding import read_picture
from srcli.upscaling.encoding import DEFAULT_QUALITY, Provenance, encode
from srcli.upscaling.engine import Network, check_size
from srcli.upscaling.files import Job
from srcli.upscaling.pictures import enlarge_picture, fit_format


def upscale_all(
    jobs: Sequence[Job], network: Network, label: str, sha256: str, quality: int | None = None
) -> int:
    """Enlarges pictures, and prints the path of each output when it is written.

    Args:
        jobs: The pictures and their outputs.
        network: What enlarges them.
        label: The network's name, for messages and for the outputs' metadata.
        sha256: Of the network's weight file, for the outputs' metadata.
        quality: 1 to 100, for JPEG and WebP; None for 95.

    Returns:
        How many of them failed, each named on standard error.

    Raises:
        CheckpointError: The network's output is not a number.
    """
    provenance = Provenance(f"srcli {__version__}", f"{label}, sha256 {sha256}")
    failed, start = 0, time.perf_counter()
    with progress("pictures") as bar:
        task = bar.add_task("enlarging", total=len(jobs), rate="", note="")
        for done, job in enumerate(jobs, 1):
            try:
                encoded = _upscale(
                    job, network, label, quality or DEFAULT_QUALITY, provenance, partial(bar.advance, task)
                )
                _write(job, encoded)
            except ImageError as error:
                failed += 1
                fail(str(error))
            bar.update(task, completed=done, rate=f"{done / (time.perf_counter() - start):.3g}")
    return failed


def check_streams(jobs: Sequence[Job]) -> None:
    """Makes sure that no picture is read from or written to a terminal.

    Raises:
        UserError: One would be.
    """
    if any(job.source is None for job in jobs) and sys.stdin.isatty():
        raise UserError("standard input is a terminal", "Pipe a picture in, or name its file.")
    if any(job.target is None for job in jobs) and sys.stdout.isatty():
        raise UserError("the picture would be written to a terminal", "Pipe it on, or give --out FILE.")


def _upscale(
    job: Job,
    network: Network,
    label: str,
    quality: int,
    provenance: Provenance,
    on_progress: Callable[[float], None],
) -> memoryview:
    source: Path | io.BytesIO = job.source or io.BytesIO(sys.stdin.buffer.read())
    picture = read_picture(source, job.name)
    height, width = picture.colour.shape[:2]
    check_size(width, height, network, label, job.name)
    picture = fit_format(picture, job.format, network.scale, job.name)
    for remark in picture.remarks:
        say(f"{job.name}: {remark}")
    try:
        return encode(enlarge_picture(picture, network, on_progress), job.format, quality, provenance)
    except MemoryError:
        raise ImageError(f"{job.name}: its output is too large for this machine's memory") from None


def _write(job: Job, encoded: memoryview) -> None:
    if job.target is None:
        sys.stdout.buffer.write(encoded)
        sys.stdout.buffer.flush()
        return
    try:
        with replacing(job.target) as file:
            file.write(encoded)
    except OSError as error:
        raise ImageError(f"{job.target}: it cannot be written: {error.strerror}") from error
    result(str(job.target))
