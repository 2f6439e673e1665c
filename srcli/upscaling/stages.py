"""The pipeline of `upscale`, each stage an iterator over the one before: decode, enlarge, write."""

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
from srcli.generators import description as generators  # collections.abc has a Generator, too
from srcli.storage.atomic import atomic_file
from srcli.upscaling.pictures import Picture, finish_rows, fit_format, output_size, show_visible
from srcli.upscaling.pixels import Pixels
from srcli.upscaling.plan import Job
from srcli.upscaling.reading import read_picture
from srcli.upscaling.tiles import BATCH_PIXELS, Band, bands_of, check_size, enlarge_bands
from srcli.upscaling.writing import Provenance, write_picture

CHUNK_PIXELS = 2**18
"""Input pixels grouped into a chunk, so that parts of equal size can share a batch."""


@dataclass(frozen=True)
class UpscaleOptions:
    """Options for all pictures.

    Attributes:
        generator: What enlarges.
        quality: 1 to 100, for JPEG and WebP.
        provenance: The provenance note in outputs.
        consistent: Whether to make the output's area average equal the input.
        compare: Whether to put the input's bicubic enlargement to the left of the output.
    """

    generator: generators.Generator
    quality: int
    provenance: Provenance
    consistent: bool
    compare: bool

    @property
    def scale(self) -> int:
        """How many times larger the output is, per side."""
        return self.generator.description.scale


@dataclass(eq=False)
class Item:
    """A picture in the pipeline.

    Attributes:
        job: Its source and target.
        picture: The decoded picture; None if decoding failed.
        bands: The number of its parts, 1 if it failed.
        remarks: Messages for the user about what was dropped.
        error: Why it failed; its remaining parts are not enlarged.
        started: Start time in seconds.
        in_size: Width and height of the input, upright; None if it could not be read.
        out_size: Width and height of the output.
        seconds: From start to writing, including waits.
        faces: The enlarged faces, if it is a photograph that was searched for them.
        is_skipped: Whether its output already existed and was kept.
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
    """A row of tiles of a picture, before or after the network; None for a failed picture."""

    item: Item
    band: Band | None
    enlarged: Pixels | None = None


def decode(jobs: Iterable[Job], options: UpscaleOptions, stdin: bytes) -> Generator[list[Part]]:
    """Decodes pictures and yields their parts in order, in chunks that fill a batch.

    Args:
        jobs: The pictures.
        options: The options.
        stdin: The bytes of standard input.
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
    """Decodes a picture into its item; returns no bands if that fails."""
    job, generator = item.job, options.generator
    try:
        picture = read_picture(job.source or io.BytesIO(stdin), job.name)
        height, width = picture.colour.shape[:2]
        check_size(width, height, generator.description, job.name)
        item.in_size = width, height
        item.out_size = output_size(picture, options.scale, options.compare)
        item.picture = show_visible(fit_format(picture, job.format, item.out_size, job.name))
        bands = bands_of(item.picture.colour, generator.description, consistent=options.consistent)
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
    """Runs the network over parts of pictures.

    Args:
        chunks: The parts in order; those of a chunk may share a batch.
        options: The options.
        on_progress: Called with the fraction of a picture just done.

    Raises:
        CheckpointError: The generator's output is not a number.
    """
    with closing(chunks):
        for chunk in chunks:
            bands = [part.band for part in chunk if part.band and not part.item.error]
            try:
                enlarged = dict(zip(bands, enlarge_bands(bands, options.generator, on_progress), strict=True))
            except MemoryError:
                enlarged = {}
                for part in chunk:
                    part.item.error = part.item.error or no_memory(part.item.job)
            yield [
                Part(part.item, part.band, enlarged.get(part.band) if part.band else None) for part in chunk
            ]


def write(chunks: Generator[list[Part]], options: UpscaleOptions) -> Generator[Item]:
    """Writes pictures as their parts arrive, and yields each once it is written or has failed."""
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
            # Skips the remaining parts of a failed picture.
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
    """The output's rows, one part at a time."""
    for part in parts:
        if part.item.error is not None:
            raise part.item.error
        assert part.band is not None
        assert part.enlarged is not None
        scale = options.scale
        yield finish_rows(picture, part.enlarged, part.band.rows.start, scale, options.compare)


@contextmanager
def _opened(target: Path | None) -> Iterator[IO[bytes]]:
    """Opens the output, written atomically; None for standard output.

    Raises:
        ImageError: It cannot be written.
    """
    try:
        if target is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        else:
            # Not synced: after a power loss the input is still there, and a sync takes longer than a face.
            with atomic_file(target, durable=False) as file:
                yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        if target is None:
            discard_output()
        name = target or "standard output"
        raise ImageError(f"{name}: cannot be written: {error.strerror or error}") from error


def no_memory(job: Job) -> ImageError:
    """The error for a picture whose output does not fit in memory."""
    return ImageError(f"{job.name}: its output is too large for this machine's memory")
