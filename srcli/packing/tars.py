"""Tar archives from strangers: read from beginning to end, with bounds on all that they declare."""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO, Protocol

from srcli.errors import DataError

MAX_UNPACKED_SHARE = 100
MAX_UNPACKED_EXTRA = 200_000_000
"""An archive may unpack to this many times its bytes, and as many bytes more; pictures hardly shrink."""

MAX_READ = 1_000_000
"""Most bytes asked for at once, so that no header of a member is larger."""

MAX_NAME = 1000
XZ_MEMORY = 200_000_000
"""Bytes of memory that unpacking xz may take; its strongest setting takes 65 MB, a file may ask for 4 GB."""

_PIECE = 65_536


class Stream(Protocol):
    """The methods of a file that reading a tar needs; `read` gives fewer bytes at the end only."""

    def read(self, size: int, /) -> bytes: ...
    def seek(self, place: int, /) -> int: ...
    def tell(self) -> int: ...


@contextmanager
def tar_members(
    path: Path, copy: IO[bytes] | None = None
) -> Iterator[Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]]:
    """A block in which to iterate over the members of a tar (.tar, .tar.gz, .tar.xz, .tar.bz2).

    Args:
        copy: Where all that is read is written uncompressed, up to the tar's end.

    Raises:
        DataError: It would unpack to far more than it is, or holds headers or names of unreasonable length.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        most = MAX_UNPACKED_SHARE * path.stat().st_size + MAX_UNPACKED_EXTRA
        bounded = _Bounded(_unpacked(file, stack), most)
        stream = bounded if copy is None else _Copied(bounded, copy)
        yield _members(stack.enter_context(tarfile.open(fileobj=stream, mode="r:")))  # type: ignore[call-overload]


def is_tar(path: Path) -> bool:
    """Whether a file begins like a tar archive, packed or not."""
    try:
        with tar_members(path):
            return True
    # Files that are no tar make the decompressors raise nearly anything.
    except Exception:
        return False


def is_packed(path: Path) -> bool:
    """Whether a tar archive is compressed."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        return _unpacked(file, stack) is not file


def _members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    while (member := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined]  # it keeps them all, and there may be millions
        if len(member.name) > MAX_NAME:
            raise DataError(f"it holds a name of {len(member.name):,} characters")
        yield archive, member


def _unpacked(file: IO[bytes], stack: ExitStack) -> Stream:
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return stack.enter_context(closing(gzip.GzipFile(fileobj=file)))
    if start.startswith(b"BZh"):
        return stack.enter_context(closing(bz2.BZ2File(file)))
    return _Xz(file) if start == b"\xfd7zXZ\x00" else file


class _Bounded:
    """A file that is read forward, in small pieces, up to a limit."""

    def __init__(self, file: Stream, most: int) -> None:
        self._file, self._most = file, most

    def read(self, size: int) -> bytes:
        if size > MAX_READ:
            raise DataError(f"a header in it has {size:,} bytes")
        self._check(self._file.tell() + size)
        return self._file.read(size)

    def seek(self, place: int) -> int:
        self._check(place)
        return self._file.seek(place)

    def tell(self) -> int:
        return self._file.tell()

    def _check(self, place: int) -> None:
        if place > self._most + MAX_READ:
            raise DataError(f"it unpacks to more than {self._most:,} bytes")


class _Copied:
    """A file that is read forward, with a copy of all its bytes written to another."""

    def __init__(self, file: Stream, out: IO[bytes]) -> None:
        self._file, self._out = file, out

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._out.write(content)
        return content

    def seek(self, place: int) -> int:
        while self.tell() < place and self.read(min(place - self.tell(), _PIECE)):
            continue
        return self.tell()

    def tell(self) -> int:
        return self._file.tell()


class _Xz:
    """An xz file, read forward; `lzma.LZMAFile` sets no bound to the memory that the file asks for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._place = 0
        self._decompressor = _decompressor()

    def read(self, size: int) -> bytes:
        parts, missing = [], size
        while missing > 0 and (part := self._part(missing)):
            parts.append(part)
            missing -= len(part)
        content = b"".join(parts)
        self._place += len(content)
        return content

    def seek(self, place: int) -> int:
        if place < self._place:
            raise OSError("xz is read forward only")
        while self._place < place and self.read(min(place - self._place, _PIECE)):
            continue
        return self._place

    def tell(self) -> int:
        return self._place

    def _part(self, most: int) -> bytes:
        while True:
            packed = b""
            if self._decompressor.eof:
                packed = self._next_stream()
                if not packed:
                    return b""
                self._decompressor = _decompressor()
            elif self._decompressor.needs_input and not (packed := self._file.read(_PIECE)):
                raise EOFError("it ends before its end")
            if part := self._decompressor.decompress(packed, most):
                return part

    def _next_stream(self) -> bytes:
        """The beginning of the stream that follows, after the zeros between; nothing at the end."""
        packed = self._decompressor.unused_data.lstrip(b"\0")
        while not packed and (more := self._file.read(_PIECE)):
            packed = more.lstrip(b"\0")
        return packed


def _decompressor() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
