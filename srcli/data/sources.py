"""Where pictures to pack come from: a folder, a zip or a tar, read without unpacking anything."""

import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from srcli.errors import DataError

PICTURE_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}
MAX_FILE_BYTES = 100_000_000
"""Files that are, or unpack to, more bytes than this are skipped unread."""


@dataclass(frozen=True)
class SourceFile:
    """One file of a source: its bytes, or the reason why it was not read.

    Attributes:
        name: Relative to the source, with forward slashes.
    """

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

    def files(self) -> Iterator[SourceFile]:
        """All pictures in the order in which they are quickest to read; each name once."""

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
    if zipfile.is_zipfile(path):
        return ZipSource(path)
    if tarfile.is_tarfile(path):
        return TarSource(path)
    raise DataError(f"{path} is neither a folder nor a whole zip or tar archive")


def is_picture(name: str) -> bool:
    """Whether a name ends like a picture's; hidden files and macOS's shadows of files are none."""
    path = PurePosixPath(name)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return path.suffix.lower() in PICTURE_ENDINGS and not hidden


@dataclass(frozen=True)
class FolderSource:
    """The pictures in a folder and all folders below it; links to folders are not followed."""

    path: Path

    def names(self) -> list[str]:
        found = []
        for folder, _, files in os.walk(self.path):
            relative = Path(folder).relative_to(self.path)
            found += [(relative / name).as_posix() for name in files]
        return sorted(filter(is_picture, found))

    def files(self) -> Iterator[SourceFile]:
        for name in self.names():
            try:
                with (self.path / name).open("rb") as file:
                    yield _read(name, file)
            except OSError as error:
                yield SourceFile(name, b"", error.strerror or str(error))

    def text(self, base_name: str) -> str | None:
        return _text_in(self.path, base_name) or _text_in(self.path.parent, base_name)


@dataclass(frozen=True)
class ZipSource:
    """The pictures in a zip archive."""

    path: Path

    def names(self) -> list[str]:
        with zipfile.ZipFile(self.path) as archive:
            return sorted({name for name in archive.namelist() if is_picture(name)})

    def files(self) -> Iterator[SourceFile]:
        with zipfile.ZipFile(self.path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist() if is_picture(entry.filename)}
            for name, entry in entries.items():
                yield self._read_entry(archive, name, entry)

    def text(self, base_name: str) -> str | None:
        with zipfile.ZipFile(self.path) as archive:
            for name in archive.namelist():
                if PurePosixPath(name).name == base_name:
                    return archive.read(name).decode("utf-8", "replace")
        return _text_in(self.path.parent, base_name)

    def _read_entry(self, archive: zipfile.ZipFile, name: str, entry: zipfile.ZipInfo) -> SourceFile:
        if entry.flag_bits & 1:
            return SourceFile(name, b"", "it is encrypted")
        if stat.S_ISLNK(entry.external_attr >> 16):
            return SourceFile(name, b"", "it is a link")
        if entry.file_size > MAX_FILE_BYTES:
            return SourceFile(name, b"", f"it unpacks to {entry.file_size:,} bytes")
        try:
            with archive.open(entry) as file:
                return _read(name, file)
        # A damaged entry makes zipfile and the decompressors raise nearly anything.
        except Exception as error:
            return SourceFile(name, b"", f"damaged in the archive ({error})")


@dataclass(frozen=True)
class TarSource:
    """The pictures in a tar archive, compressed or not, read from its beginning to its end."""

    path: Path

    def names(self) -> list[str]:
        with _open_tar(self.path) as archive:
            return sorted({member.name for member in archive if is_picture(member.name)})

    def files(self) -> Iterator[SourceFile]:
        seen: set[str] = set()
        with _open_tar(self.path) as archive:
            for member in archive:
                if is_picture(member.name) and member.name not in seen:
                    seen.add(member.name)
                    yield self._read_member(archive, member)

    def text(self, base_name: str) -> str | None:
        with _open_tar(self.path) as archive:
            for member in archive:
                if PurePosixPath(member.name).name == base_name and member.isfile():
                    file = archive.extractfile(member)
                    return file.read().decode("utf-8", "replace") if file else None
        return _text_in(self.path.parent, base_name)

    def _read_member(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> SourceFile:
        file = archive.extractfile(member) if member.isfile() else None
        if file is None:
            return SourceFile(member.name, b"", "it is no ordinary file")
        return _read(member.name, file)


def _open_tar(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _read(name: str, file: IO[bytes]) -> SourceFile:
    content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        return SourceFile(name, b"", f"it is larger than {MAX_FILE_BYTES:,} bytes")
    return SourceFile(name, content)


def _text_in(folder: Path, base_name: str) -> str | None:
    file = folder / base_name
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None
