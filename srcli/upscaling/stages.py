"""The pipeline of `upscale`, each stage an iterator over the one before: decode, enlarge, write."""

import io
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import IO

from srcli.console import discard_output
from srcli.detection.mtcnn import Face
from srcli.errors import ImageError
from srcli.generators import description as generators  # collections.abc has a Generator, too
from srcli.storage.atomic import atomic_file
from srcli.upscaling.pictures import Picture, finish_rows, fit_format, show_visible
from srcli.upscaling.pixels import Pixels
from srcli.upscaling.plan import Job
from srcli.upscaling.reading import read_picture
from srcli.upscaling.suffered import Known, Suffered, known_by, suffered_beyond_training
from srcli.upscaling.tiles import BATCH_PIXELS, TileRow, check_size, enlarge_tile_rows, tile_rows_of
from srcli.upscaling.writing import DEFAULT_QUALITY, write_picture
from srcli.version import __version__

CHUNK_PIXELS = 2**18
"""Input pixels grouped into a chunk, so that parts of equal size can share a batch."""


@dataclass(frozen=True)
class UpscaleOptions:
    """Options for all pictures.

    Attributes:
        quality: 1 to 100, for JPEG and WebP.
        consistent: Whether to make the output's area average equal the input.
        compare: Whether to put the input's bicubic enlargement to the left of the output.
    """

    generator: generators.Generator
    quality: int = DEFAULT_QUALITY
    consistent: bool = False
    compare: bool = False

    @property
    def scale(self) -> int:
        """How many times larger the output is, per side."""
        return self.generator.description.scale

    @cached_property
    def known(self) -> Known:
        """What inputs the generator was trained on."""
        return known_by(self.generator.description)

    @property
    def provenance(self) -> dict[str, str]:
        """The provenance note in outputs, by the keywords of PNG."""
        made_by = self.generator.description
        model = f"{made_by.label}, sha256 {made_by.sha256}"
        return {"Software": f"srcli {__version__}", "srcli:model": model}


@dataclass(eq=False)
class Item:
    """A picture in the pipeline.

    Attributes:
        started: Start time in seconds.
        picture: The decoded picture; None if decoding failed.
        in_size: Width and height of the input, upright; None if it could not be read.
        out_size: Width and height of the output.
        tile_rows: The number of its parts, 1 if it failed.
        remarks: Messages for the user about what was dropped.
        suffered: What the model was not trained on.
        error: Why it failed; its remaining parts are not enlarged.
        seconds: From start to writing, including waits.
        faces: The enlarged faces, if it is a photograph that was searched for them.
        is_skipped: Whether its output already existed and was kept.
    """

    job: Job
    started: float = field(default_factory=time.perf_counter)
    picture: Picture | None = None
    in_size: tuple[int, int] | None = None
    out_size: tuple[int, int] | None = None
    tile_rows: int = 1
    remarks: tuple[str, ...] = ()
    suffered: Suffered = field(default_factory=Suffered)
    error: ImageError | None = None
    seconds: float = 0
    faces: tuple[Face, ...] = ()
    is_skipped: bool = False


@dataclass(frozen=True)
class Part:
    """A row of tiles of a picture, before or after the network; None for a failed picture."""

    item: Item
    tile_row: TileRow | None
    enlarged: Pixels | None = None


def decode(jobs: Iterable[Job], options: UpscaleOptions, stdin: bytes) -> Generator[list[Part]]:
    """Decodes pictures and yields their parts in order, in chunks that fill a batch."""
    chunk: list[Part] = []
    pixels: Counter[tuple[int, ...]] = Counter()
    for job in jobs:
        item = Item(job)
        tile_rows = _decode(item, options, stdin)
        if not tile_rows:
            chunk.append(Part(item, None))
        for tile_row in tile_rows:
            chunk.append(Part(item, tile_row))
            shape = tile_row.padded.shape[:2]
            pixels[shape] += tile_row.height * shape[1]
            if pixels[shape] >= BATCH_PIXELS or pixels.total() >= CHUNK_PIXELS:
                yield chunk
                chunk = []
                pixels.clear()
    yield chunk


def _decode(item: Item, options: UpscaleOptions, stdin: bytes) -> list[TileRow]:
    """Decodes a picture into its item; returns no rows if that fails."""
    job, description = item.job, options.generator.description
    tile_rows: list[TileRow] = []
    with noting_errors(item):
        picture = read_picture(job.source or io.BytesIO(stdin), job.name)
        height, width = picture.colour.shape[:2]
        check_size(width, height, description, job.name)
        item.picture = prepare(item, picture, options)
        tile_rows = tile_rows_of(item.picture.colour, description, consistent=options.consistent)
        item.tile_rows = len(tile_rows)
    return tile_rows


def prepare(item: Item, picture: Picture, options: UpscaleOptions) -> Picture:
    """Fits a decoded picture to the network and the output, and notes in its item what is to be told.

    Raises:
        ImageError: As `fit_format`.
    """
    height, width = picture.colour.shape[:2]
    item.in_size = width, height
    # Twice as wide for a comparison, which has the input beside the output.
    item.out_size = width * options.scale * (1 + options.compare), height * options.scale
    fitted = show_visible(fit_format(picture, item.job.format, item.out_size, item.job.name))
    item.remarks = fitted.remarks
    item.suffered = suffered_beyond_training(fitted, options.known)
    return fitted


def enlarge(
    chunks: Generator[list[Part]], options: UpscaleOptions, on_progress: Callable[[float], None]
) -> Generator[list[Part]]:
    """Runs the network over parts of pictures, of which those of a chunk may share a batch.

    Calls `on_progress` with the fraction of a picture just done.

    Raises:
        CheckpointError: The generator's output is not a number.
    """
    with closing(chunks):
        for chunk in chunks:
            tile_rows = [part.tile_row for part in chunk if part.tile_row and not part.item.error]
            try:
                enlarged = dict(
                    zip(tile_rows, enlarge_tile_rows(tile_rows, options.generator, on_progress), strict=True)
                )
            except MemoryError:
                enlarged = {}
                for part in chunk:
                    part.item.error = part.item.error or _no_memory(part.item)
            yield [
                replace(part, enlarged=enlarged.get(part.tile_row) if part.tile_row else None)
                for part in chunk
            ]


def write(chunks: Generator[list[Part]], options: UpscaleOptions) -> Generator[Item]:
    """Writes pictures as their parts arrive, and yields each once it is written or has failed."""
    with closing(chunks):
        parts = (part for chunk in chunks for part in chunk)
        for first in parts:
            item = first.item
            own_parts = chain([first], islice(parts, item.tile_rows - 1))
            with noting_errors(item):
                if item.picture is not None:
                    write_item(item, item.picture, _rows(item.picture, own_parts, options), options)
            # Skips the remaining parts of a failed picture.
            deque(own_parts, maxlen=0)
            item.picture = None
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
            file, rows, item.out_size, picture, item.job.format, options.quality, options.provenance
        )


def _rows(picture: Picture, parts: Iterable[Part], options: UpscaleOptions) -> Iterator[Pixels]:
    """The output's rows, one part at a time."""
    for part in parts:
        if part.item.error is not None:
            raise part.item.error
        assert part.tile_row is not None
        assert part.enlarged is not None
        yield finish_rows(picture, part.enlarged, part.tile_row.rows.start, options.scale, options.compare)


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


@contextmanager
def noting_errors(item: Item) -> Iterator[None]:
    """Notes in an item why its picture failed in the block, so that others go on, and the time so far."""
    try:
        yield
    except ImageError as error:
        item.error = error
    except MemoryError:
        item.error = _no_memory(item)
    item.seconds = time.perf_counter() - item.started


def _no_memory(item: Item) -> ImageError:
    return ImageError(f"{item.job.name}: its output is too large for this machine's memory")
