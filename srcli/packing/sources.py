"""Where pictures to pack come from: a folder, a zip or a tar, read without unpacking anything."""

import os
import stat
import zipfile
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Protocol

from srcli.errors import DataError
from srcli.packing.archives import archive_errors
from srcli.packing.tars import MAX_UNPACKED_EXTRA, MAX_UNPACKED_SHARE, is_packed, is_tar, tar_members
from srcli.pictures.formats import PICTURE_ENDINGS
from srcli.storage.atomic import name_file
from srcli.storage.bounded import read_bounded, require_ordinary

if TYPE_CHECKING:
    import tarfile

MAX_FILE_BYTES = 100_000_000
"""Files that are, or unpack to, more bytes than this are skipped unread."""
MAX_TEXT_BYTES = 20_000_000
PIECE = 500_000


@dataclass(frozen=True)
class SourceFile:
    """A file's name within its source, with forward slashes, and its bytes, or why they were not read."""

    name: str
    content: bytes
    problem: str = ""


class Source(Protocol):
    """Pictures by name, and the text files beside them."""

    @property
    def path(self) -> Path:
        """Where the source lies."""

    def names(self) -> list[str]:
        """The names of all pictures, sorted, each once."""

    def files(self, wanted: Collection[str] | None = None) -> Iterator[SourceFile]:
        """All pictures in the order in which they are quickest to read; each name once.

        Args:
            wanted: The names to read; the others cost next to nothing.
        """

    def text(self, base_name: str) -> str | None:
        """A text file in or beside the source, whatever folder it is in; None where there is none."""


def open_source(path: Path) -> Source:
    """A folder, a zip or a tar (.tar, .tar.gz, .tgz, .tar.xz, .tar.bz2) as a source.

    Raises:
        DataError: Nothing is there, or it is none of these.
    """
    if path.is_dir():
        return FolderSource(path)
    if not path.is_file():
        raise DataError(f"{path} does not exist", "Give a folder, a zip, a tar, or the word celeba.")
    with suppress(Exception):  # a damaged end record makes it raise nearly anything
        if zipfile.is_zipfile(path):
            return ZipSource(path)
    if is_tar(path):
        return TarSource(path)
    raise DataError(f"{path} is neither a folder nor a whole zip or tar archive")


@contextmanager
def unpacked(source: Source, out: Path) -> Iterator[tuple[Source, Path]]:
    """A block in which a compressed tar lies uncompressed beside `out`, so that it is uncompressed once.

    Yields:
        The source, and what `open_source` opens to read the same.

    Raises:
        DataError: The archive is damaged or refused.
        OSError: There is no room for it.
    """
    if not isinstance(source, TarSource) or not is_packed(source.path):
        yield source, source.path
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", suffix=".part") as file:
            with archive_errors(source.path), tar_members(source.path, file) as members:
                deque(members, maxlen=0)
            file.flush()
            yield TarSource(source.path, Path(file.name)), Path(file.name)
    except OSError as error:
        name_file(error, out)
        raise


def is_picture(name: str) -> bool:
    """Whether a name ends like a picture's; what is hidden, and macOS's shadows of files, are none."""
    parts = name.split("/")
    hidden = any(part.startswith(".") and part not in (".", "..") for part in parts)
    return name.lower().endswith(PICTURE_ENDINGS) and not hidden and "__MACOSX" not in parts


@dataclass(frozen=True)
class FolderSource:
    """The pictures in a folder and all folders below it; links to folders are not followed."""

    path: Path

    def names(self) -> list[str]:
        found = []
        for folder, _, files in os.walk(self.path, onerror=_raise):
            relative = Path(folder).relative_to(self.path)
            found += [(relative / name).as_posix() for name in files]
        return sorted(filter(is_picture, found))

    def files(self, wanted: Collection[str] | None = None) -> Iterator[SourceFile]:
        for name in self.names() if wanted is None else wanted:
            try:
                require_ordinary(path := self.path / name)
                with path.open("rb") as file:
                    yield _read(name, file)
            except OSError as error:
                yield SourceFile(name, b"", error.strerror or str(error))

    def text(self, base_name: str) -> str | None:
        return _text_in(self.path, base_name) or _text_in(self.path.parent, base_name)


@dataclass(frozen=True)
class ZipSource:
    """The pictures in a zip archive, which stays open; of entries with the same name, the first."""

    path: Path

    def names(self) -> list[str]:
        with archive_errors(self.path):
            return sorted(self._pictures)

    def files(self, wanted: Collection[str] | None = None) -> Iterator[SourceFile]:
        with archive_errors(self.path):
            for name, entry in self._pictures.items():
                if wanted is None or name in wanted:
                    yield _read_entry(self._archive, entry)

    def text(self, base_name: str) -> str | None:
        with archive_errors(self.path):
            for entry in self._archive.infolist():
                if entry.filename.rpartition("/")[2] == base_name:
                    return _text_of(_read_entry(self._archive, entry), self.path)
        return _text_in(self.path.parent, base_name)

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.path)

    @cached_property
    def _pictures(self) -> dict[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._archive.infolist():
            if is_picture(entry.filename) and not entry.is_dir():
                entries.setdefault(entry.filename, entry)
        declared = sum(entry.file_size for entry in entries.values())
        if declared > MAX_UNPACKED_SHARE * self.path.stat().st_size + MAX_UNPACKED_EXTRA:
            raise DataError(f"{self.path} is refused: it unpacks to {declared:,} bytes")
        return entries


@dataclass(frozen=True)
class TarSource:
    """The pictures in a tar archive, compressed or not, read from its beginning to its end.

    Of members with the same name, the first counts.

    Attributes:
        plain: Where it lies uncompressed; None to uncompress it anew whenever it is read.
    """

    path: Path
    plain: Path | None = None

    def names(self) -> list[str]:
        with archive_errors(self.path), tar_members(self.plain or self.path) as members:
            return sorted({member.name for _, member in members if _is_picture_member(member)})

    def files(self, wanted: Collection[str] | None = None) -> Iterator[SourceFile]:
        seen: set[str] = set()
        with archive_errors(self.path), tar_members(self.plain or self.path) as members:
            for archive, member in members:
                name = member.name
                if (wanted is None or name in wanted) and _is_picture_member(member) and name not in seen:
                    seen.add(name)
                    yield _read_member(archive, member)

    def text(self, base_name: str) -> str | None:
        with archive_errors(self.path), tar_members(self.plain or self.path) as members:
            for archive, member in members:
                if PurePosixPath(member.name).name == base_name:
                    return _text_of(_read_member(archive, member), self.path)
        return _text_in(self.path.parent, base_name)


def _is_picture_member(member: "tarfile.TarInfo") -> bool:
    return is_picture(member.name) and not member.isdir()


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> SourceFile:
    name = entry.filename
    if _leads_outside(name):
        return SourceFile(name, b"", "its name leads out of the archive")
    if entry.flag_bits & 1:
        return SourceFile(name, b"", "it is encrypted")
    if stat.S_ISLNK(entry.external_attr >> 16):
        return SourceFile(name, b"", "it is a link")
    if entry.file_size > MAX_FILE_BYTES:
        return SourceFile(name, b"", f"it unpacks to {entry.file_size:,} bytes")
    try:
        return SourceFile(name, archive.read(entry))  # no more than it declares
    # A damaged entry makes zipfile and the decompressors raise nearly anything.
    except Exception as error:
        return SourceFile(name, b"", f"damaged in the archive ({error})")


def _read_member(archive: "tarfile.TarFile", member: "tarfile.TarInfo") -> SourceFile:
    if _leads_outside(member.name):
        return SourceFile(member.name, b"", "its name leads out of the archive")
    # A sparse member of a few bytes can declare terabytes.
    file = archive.extractfile(member) if member.isfile() and not member.issparse() else None
    if file is None:
        return SourceFile(member.name, b"", "it is no ordinary file")
    return _read(member.name, file)


def _leads_outside(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/")


def _raise(error: OSError) -> None:
    raise error


def _read(name: str, file: IO[bytes]) -> SourceFile:
    content = bytearray()
    while part := file.read(PIECE):
        content += part
        if len(content) > MAX_FILE_BYTES:
            return SourceFile(name, b"", f"it is larger than {MAX_FILE_BYTES:,} bytes")
    return SourceFile(name, bytes(content))


def _text_of(file: SourceFile, archive: Path) -> str:
    if file.problem:
        raise DataError(f"{file.name} in {archive} cannot be read: {file.problem}")
    if len(file.content) > MAX_TEXT_BYTES:
        raise DataError(f"{file.name} in {archive} has over {MAX_TEXT_BYTES:,} bytes")
    return file.content.decode("utf-8", "replace")


def _text_in(folder: Path, base_name: str) -> str | None:
    file = folder / base_name
    return read_bounded(file, MAX_TEXT_BYTES).decode("utf-8", "replace") if file.is_file() else None
