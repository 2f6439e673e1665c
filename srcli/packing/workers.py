"""Decoding pictures into the rows of an array's file, in several processes."""

import multiprocessing
import signal
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from srcli.data.dataset import digest_of
from srcli.errors import DataError, ImageError
from srcli.packing.faces import face_of
from srcli.packing.layouts import Layout
from srcli.packing.sources import open_source
from srcli.processes import Share

SECONDS_BETWEEN_REPORTS = 0.1


@dataclass(frozen=True)
class Work:
    """The pictures that one process decodes, and where it writes them.

    Attributes:
        source: What `open_source` opens.
        rows: The row of each picture by its name.
        file: It holds the array, from byte `start` on; rows are `size` x `size` x 3 bytes.
    """

    source: Path
    rows: Mapping[str, int]
    layout: Layout
    size: int
    file: Path
    start: int


@dataclass(frozen=True)
class Report:
    """Since the last one: `digest_of` each written face by its row, and reasons of skipped ones by name."""

    digests: Mapping[int, bytes]
    skipped: Mapping[str, str]


def share_out(work: Work, count: int) -> list[Work]:
    """Divides the work among `count` processes, or one a picture where there are fewer pictures."""
    pictures = list(work.rows.items())
    count = max(1, min(count, len(pictures)))
    shares = [Share(number, count) for number in range(count)]
    return [replace(work, rows=dict(share.every_nth(pictures))) for share in shares]


def fill_rows(works: Sequence[Work]) -> Generator[Report]:
    """Does each work in a process of its own, a single one in this process.

    Raises:
        DataError: The source is damaged, or a process was killed.
        OSError: The file cannot be written.
    """
    if len(works) == 1:
        yield from _fill_share(works[0])
        return
    with _processes(works) as connections:
        while connections:
            for connection in wait(connections):
                assert isinstance(connection, Connection)
                try:
                    message: Report | Exception | None = connection.recv()
                except EOFError:
                    raise DataError("a worker process was killed, perhaps for want of memory") from None
                if isinstance(message, Exception):
                    raise message
                if message is None:
                    connections.remove(connection)
                else:
                    yield message


def _fill_share(work: Work) -> Iterator[Report]:
    """Each picture is read, decoded and written before the next, so that memory stays bounded."""
    digests, skipped, reported = dict[int, bytes](), dict[str, str](), time.monotonic()
    row_bytes = work.size**2 * 3
    with work.file.open("r+b") as out:
        for file in open_source(work.source).files(work.rows):
            try:
                if file.problem:
                    raise ImageError(f"{file.name}: {file.problem}")
                face = face_of(file.content, file.name, work.layout, work.size)
                row = work.rows[file.name]
                out.seek(work.start + row * row_bytes)
                out.write(face.data)
                digests[row] = digest_of(face)
            except ImageError as error:
                skipped[file.name] = error.message.removeprefix(f"{file.name}: ")
            if time.monotonic() - reported > SECONDS_BETWEEN_REPORTS:
                yield Report(digests, skipped)
                digests, skipped, reported = {}, {}, time.monotonic()
    yield Report(digests, skipped)


def _serve(work: Work, connection: Connection) -> None:
    """Runs a worker process: sends its reports, then None, or the exception that ended it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends its workers
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        for report in _fill_share(work):
            connection.send(report)
        connection.send(None)
    except Exception as error:
        connection.send(error)


@contextmanager
def _processes(works: Sequence[Work]) -> Iterator[list[Connection]]:
    """A block with running worker processes, as the connections on which they report; its end kills them."""
    # Not a ProcessPoolExecutor: its workers outlive a killed parent, and Ctrl-C would wait for their shares.
    # Spawned, not forked: a fork copies the locks of this process's other threads in whatever state they are.
    context = multiprocessing.get_context("spawn")
    processes, connections = [], []
    try:
        for work in works:
            ours, its = context.Pipe(duplex=False)
            connections.append(ours)
            with its, _interrupts_held_back():
                process = context.Process(target=_serve, args=(work, its), daemon=True)
                processes.append(process)
                process.start()
        yield connections
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """A block in which to start processes: Ctrl-C and SIGTERM wait for its end.

    Processes started in it begin with both held back, too.
    """
    held: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    # The mask is what new processes inherit; another thread, of a library, may still take a signal for us.
    handlers = [signal.signal(number, lambda taken, _: held.append(taken)) for number in numbers]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if held:
            raise KeyboardInterrupt
