"""The stages that pictures pass through, each an iterator over the one before: decode, enlarge, write."""

import io
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO

from srcli.console import discard_output
from srcli.detection.mtcnn import Face
from srcli.errors import ImageError
from srcli.storage.atomic import atomic_file
from srcli.upscaling.pictures import Picture, finish_rows, fit_format, output_size, show_visible
from srcli.upscaling.pixels import Pixels
from srcli.upscaling.plan import Job
from srcli.upscaling.reading import read_picture
from srcli.upscaling.tiles import BATCH_PIXELS, Band, Network, bands_of, check_size, enlarge_bands
from srcli.upscaling.writing import Provenance, write_picture

CHUNK_PIXELS = 2**18
"""Pixels of the input that are on the way together, so that those of one size may meet in a batch."""


@dataclass(frozen=True)
class UpscaleOptions:
    """What is done with every picture.

    Attributes:
        network: What enlarges.
        label: The network's name.
        quality: 1 to 100, for JPEG and WebP.
        provenance: What outputs say of their making.
        consistent: Whether the outputs' area average is made to be the input.
        compare: Whether the input's bicubic enlargement stands to the left of the output.
    """

    network: Network
    label: str
    quality: int
    provenance: Provenance
    consistent: bool
    compare: bool


@dataclass(eq=False)
class Item:
    """A picture on its way.

    Attributes:
        job: Where it comes from and goes to.
        picture: What was decoded; None if that failed.
        bands: How many parts it comes in, 1 if it failed.
        remarks: What was left out, for the user.
        error: Why it failed; what is still to come of it is not enlarged then.
        started: When it was begun, in seconds.
        in_size: Width and height of the input, upright; None if it could not be read.
        out_size: Width and height of the output.
        seconds: From then until it was written, with the waits between.
        faces: Those that were enlarged, if it is a photograph in which they were looked for.
        is_skipped: Whether its output was there already and stays.
    """

    job: Job
    started: float
    picture: Picture | None = None
    in_size: tuple[int, int] | None = None
    out_size: tuple[int, int] | None = None
    bands: int = 1
    remarks: tuple[str, ...] = ()
    error: ImageError | None = None
    seconds: float = 0
    faces: tuple[Face, ...] = ()
    is_skipped: bool = False


@dataclass(frozen=True)
class Part:
    """A row of tiles of a picture, before or after the network; None of a picture that failed."""

    item: Item
    band: Band | None
    enlarged: Pixels | None = None


def decode(jobs: Iterable[Job], options: UpscaleOptions, stdin: bytes) -> Generator[list[Part]]:
    """Decodes pictures, and gives their parts in order, as many together as make a batch.

    Args:
        jobs: Which pictures.
        options: What will be done with them.
        stdin: What standard input held.
    """
    chunk: list[Part] = []
    pixels: Counter[tuple[int, ...]] = Counter()
    for job in jobs:
        item = Item(job, time.perf_counter())
        bands = _decode(item, options, stdin)
        if not bands:
            chunk.append(Part(item, None))
        for band in bands:
            chunk.append(Part(item, band))
            shape = band.padded.shape[:2]
            pixels[shape] += band.height * shape[1]
            if pixels[shape] >= BATCH_PIXELS or pixels.total() >= CHUNK_PIXELS:
                yield chunk
                chunk = []
                pixels.clear()
    yield chunk


def _decode(item: Item, options: UpscaleOptions, stdin: bytes) -> list[Band]:
    """Reads a picture into its item; no bands if that fails."""
    job, network = item.job, options.network
    try:
        picture = read_picture(job.source or io.BytesIO(stdin), job.name)
        height, width = picture.colour.shape[:2]
        check_size(width, height, network, options.label, job.name)
        item.in_size = width, height
        item.out_size = output_size(picture, network.scale, options.compare)
        item.picture = show_visible(fit_format(picture, job.format, item.out_size, job.name))
        bands = bands_of(item.picture.colour, network, consistent=options.consistent)
    except ImageError as error:
        item.error = error
        return []
    except MemoryError:
        item.error = no_memory(job)
        return []
    item.bands, item.remarks = len(bands), item.picture.remarks
    return bands


def enlarge(
    chunks: Generator[list[Part]], options: UpscaleOptions, on_progress: Callable[[float], None]
) -> Generator[list[Part]]:
    """Runs the network over the parts of pictures.

    Args:
        chunks: The parts in order, those together that may share a batch.
        options: Has the network.
        on_progress: Called with the shares of pictures that have just been done.

    Raises:
        CheckpointError: The network's output is not a number.
    """
    with closing(chunks):
        for chunk in chunks:
            bands = [part.band for part in chunk if part.band and not part.item.error]
            try:
                enlarged = dict(zip(bands, enlarge_bands(bands, options.network, on_progress), strict=True))
            except MemoryError:
                enlarged = {}
                for part in chunk:
                    part.item.error = part.item.error or no_memory(part.item.job)
            yield [
                Part(part.item, part.band, enlarged.get(part.band) if part.band else None) for part in chunk
            ]


def write(chunks: Generator[list[Part]], options: UpscaleOptions) -> Generator[Item]:
    """Writes pictures as their parts come, and gives each when it is written or has failed."""
    with closing(chunks):
        parts = (part for chunk in chunks for part in chunk)
        for first in parts:
            item = first.item
            own_parts = chain([first], islice(parts, item.bands - 1))
            try:
                if item.picture is not None:
                    write_item(item, item.picture, _rows(item.picture, own_parts, options), options)
            except ImageError as error:
                item.error = error
            except MemoryError:
                item.error = no_memory(item.job)
            # The parts of a picture that failed on the way are passed over.
            deque(own_parts, maxlen=0)
            item.picture = None
            item.seconds = time.perf_counter() - item.started
            yield item


def write_item(item: Item, picture: Picture, rows: Iterable[Pixels], options: UpscaleOptions) -> None:
    """Writes the rows of an output, whole or not at all.

    Args:
        picture: What belongs to the output beside its pixels.
        rows: (n, width, channels) from top to bottom, transparency last.

    Raises:
        ImageError: It cannot be written.
    """
    assert item.out_size is not None
    with _opened(item.job.target) as file:
        write_picture(
            file,
            rows,
            item.out_size,
            picture,
            item.job.format,
            options.quality,
            options.provenance,
        )


def _rows(picture: Picture, parts: Iterable[Part], options: UpscaleOptions) -> Iterator[Pixels]:
    """The output's rows, part by part."""
    for part in parts:
        if part.item.error is not None:
            raise part.item.error
        assert part.band is not None
        assert part.enlarged is not None
        scale = options.network.scale
        yield finish_rows(picture, part.enlarged, part.band.rows.start, scale, options.compare)


@contextmanager
def _opened(target: Path | None) -> Iterator[IO[bytes]]:
    """The output, whole or not at all; None for standard output.

    Raises:
        ImageError: It cannot be written.
    """
    try:
        if target is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        else:
            # Whoever loses power still has the input; waiting for the disk takes longer than a face.
            with atomic_file(target, durable=False) as file:
                yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        if target is None:
            discard_output()
        name = target or "standard output"
        raise ImageError(f"{name}: it cannot be written: {error.strerror or error}") from error


def no_memory(job: Job) -> ImageError:
    """The error of a picture whose output this machine's memory cannot hold."""
    return ImageError(f"{job.name}: its output is too large for this machine's memory")
