"""From the bytes of picture files to stored faces, in as many processes as wanted."""

import io
import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
from PIL import Image

from srcli.data.images import Pixels, open_picture
from srcli.data.sources import SourceFile
from srcli.errors import DataError, ImageError

Layout = Literal["celeba", "faces"]

CELEBA_SIZE = (178, 218)
CELEBA_WINDOW = (17, 52, 161, 196)
"""The box (25, 60, 153, 188) of the paper with its jitter of 8 pixels on every side."""

CHUNK = 64
CHUNK_BYTES = 4_000_000
"""A chunk ends with the file, or the face, that fills it, so that large pictures do not fill the memory."""
CHUNKS_AHEAD = 4
PICTURES_TO_TRY = 20


@dataclass(frozen=True)
class Decoded:
    """The faces (n, size, size, 3) of the `n` names that could be read, and why others could not."""

    names: list[str]
    faces: Pixels
    skipped: dict[str, str]


def decode_files(files: Iterator[SourceFile], layout: Layout, size: int, workers: int) -> Iterator[Decoded]:
    """Decodes files chunk by chunk, in their order; memory stays bounded whatever the number of files.

    Args:
        size: The side of the stored faces in pixels; 72 for the celeba layout.

    Raises:
        DataError: A worker process was killed.
    """
    with _executor(workers) as executor:
        if executor is None:
            for chunk in _chunks(files, size):
                yield decode_chunk(chunk, layout, size)
            return
        waiting: deque[Future[Decoded]] = deque()
        try:
            for chunk in _chunks(files, size):
                with _interrupts_held_back():
                    waiting.append(executor.submit(decode_chunk, chunk, layout, size))
                if len(waiting) >= CHUNKS_AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise DataError("a worker process was killed, perhaps for want of memory") from None


def decode_chunk(files: list[SourceFile], layout: Layout, size: int) -> Decoded:
    """Decodes some files in this process."""
    faces: dict[str, Pixels] = {}
    skipped = {file.name: file.problem for file in files if file.problem}
    for file in files:
        if not file.problem:
            try:
                faces[file.name] = face_of(file.content, file.name, layout, size)
            except ImageError as error:
                skipped[file.name] = error.message.removeprefix(f"{file.name}: ")
    stacked = np.empty((len(faces), size, size, 3), np.uint8)
    for row, face in enumerate(faces.values()):
        stacked[row] = face
    return Decoded(list(faces), stacked, skipped)


def face_of(content: bytes, name: str, layout: Layout, size: int) -> Pixels:
    """One stored face (size, size, 3): the window of the layout, area-averaged.

    Raises:
        ImageError: `<name>: <reason>`.
    """
    picture = open_picture(io.BytesIO(content), name)
    if layout == "celeba":
        if picture.size != CELEBA_SIZE:
            raise ImageError(f"{name}: {picture.width}x{picture.height} pixels, CelebA's are 178x218")
        return np.asarray(picture.reduce(2, CELEBA_WINDOW))  # exact 2x2 means, rounded half up
    side = min(picture.size)
    if side < size:
        raise ImageError(f"{name}: {picture.width}x{picture.height} pixels, smaller than {size}")
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX, box))


def detect_layout(files: Iterator[SourceFile]) -> Layout:
    """`celeba` where the first picture that can be read has CelebA's 178x218 pixels, else `faces`."""
    for file in islice(files, PICTURES_TO_TRY):
        try:
            if not file.problem:
                size = open_picture(io.BytesIO(file.content), file.name).size
                return "celeba" if size == CELEBA_SIZE else "faces"
        except ImageError:
            continue
    return "faces"


def _chunks(files: Iterator[SourceFile], size: int) -> Iterator[list[SourceFile]]:
    most = min(CHUNK, max(1, CHUNK_BYTES // (3 * size**2)))
    chunk: list[SourceFile] = []
    for file in files:
        chunk.append(file)
        if len(chunk) == most or sum(len(held.content) for held in chunk) >= CHUNK_BYTES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


@contextmanager
def _executor(workers: int) -> Iterator[Executor | None]:
    """Processes that leave Ctrl-C to their parent; None where this process is to decode alone."""
    if workers == 1:
        yield None
        return
    # Spawned, not forked: a fork copies the locks of this process's other threads in whatever state they are.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, context, initializer=_leave_interrupts_to_parent)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """A block in which processes can be started whole: Ctrl-C and SIGTERM wait for its end.

    Processes started in it begin with both held back, too.
    """
    held: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    # The mask is what new processes inherit; another thread, of a library, may still take a signal for us.
    handlers = [signal.signal(number, lambda taken, _: held.append(taken)) for number in numbers]
    mask = None if sys.platform == "win32" else signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if held:
            raise KeyboardInterrupt


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
