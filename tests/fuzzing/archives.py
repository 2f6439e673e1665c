"""Zip and tar archives of faces, as `srcli prepare-data` reads them."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random

from PIL import Image

from fuzzing.mutations import HUGE, INTERESTING, TEXTS, mutate_bytes
from srcli.drawn_faces.faces import draw_faces
from srcli.packing.pack import Packing, pack
from srcli.packing.sources import open_source

PACKING = Packing("auto", 72, None, 2, 60.0, 1)
NAMES = (
    "a.png",
    "../../out/evil.png",
    "/tmp/out.png",
    "a/../../b.png",
    "c:\\x.png",
    "\x1b[31m.png",
    "n" * 300 + ".png",
)
PARTITION = "list_eval_partition.txt"
TAR_TYPES = (b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"L", b"K", b"x", b"g", b"S", b"X", b"Z")


class Archives:
    """Damaged archives, and intact ones with deceptive entries."""

    name = "archives"

    def hostile(self, random: Random) -> Mapping[str, bytes]:
        if random.random() < 0.35:
            originals = _originals()
            content = mutate_bytes(random.choice(originals), random, originals)
        elif random.random() < 0.5:
            content = _hostile_zip(random)
        else:
            content = _compressed(_hostile_tar(random), random)
        return {"faces.archive": content}

    def use(self, given: Path, work: Path) -> None:
        pack(open_source(given / "faces.archive"), work / "out", PACKING)


@cache
def _faces() -> dict[str, bytes]:
    files = {}
    for number, face in enumerate(draw_faces(6, 3)):
        buffer = io.BytesIO()
        Image.fromarray(face).save(buffer, "PNG" if number % 2 else "JPEG")
        files[f"faces/{number}.{'png' if number % 2 else 'jpg'}"] = buffer.getvalue()
    return files


@cache
def _originals() -> tuple[bytes, ...]:
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _faces().items():
            archive.writestr(name, content)
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        for name, content in _faces().items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    tar = tarred.getvalue()
    return (zipped.getvalue(), tar, gzip.compress(tar), bz2.compress(tar), lzma.compress(tar))


def _hostile_zip(random: Random) -> bytes:
    buffer = io.BytesIO()
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in _entries(random):
            entry = zipfile.ZipInfo(name.replace("\x00", "") or "x")
            entry.compress_type = random.choice(methods)
            entry.external_attr = random.choice((0, 0o120777 << 16, 0o644 << 16, 0o020666 << 16, 0x10))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                archive.writestr(entry, content)
        archive.comment = random.choice((b"", b"PK\x05\x06" * 5))
    content = bytearray(buffer.getvalue())
    # Numbers of the central directory and of its end: sizes, offsets, counts, flags.
    for signature, length in ((b"PK\x01\x02", 46), (b"PK\x05\x06", 22), (b"PK\x03\x04", 30)):
        place = content.find(signature)
        if place >= 0 and random.random() < 0.4:
            code = random.choice(("<H", "<I"))
            value = random.choice((*INTERESTING, *HUGE)) % 2 ** (8 * struct.calcsize(code))
            struct.pack_into(code, content, place + random.randrange(4, length - 4), value)
    return bytes(content)


def _hostile_tar(random: Random) -> bytes:
    buffer = io.BytesIO()
    formats = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
    with tarfile.open(fileobj=buffer, mode="w", format=random.choice(formats)) as archive:
        for name, content in _entries(random):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.linkname = random.choice(("", "/etc/passwd", "../x", "a.png"))
            member.type = random.choice(TAR_TYPES) if random.random() < 0.3 else tarfile.REGTYPE
            if random.random() < 0.2:
                keys = (
                    "GNU.sparse.map",
                    "GNU.sparse.size",
                    "size",
                    "path",
                    "GNU.sparse.major",
                    "hdrcharset",
                    "mtime",
                )
                member.pax_headers = {
                    random.choice(keys): random.choice((*TEXTS, str(2**40), "1,2,3", "1" * 4400))
                }
            try:
                archive.addfile(member, io.BytesIO(content))
            except (ValueError, UnicodeError):
                continue
    content = bytearray(buffer.getvalue())
    if random.random() < 0.5:
        _declare_size(content, 512 * random.randrange(len(content) // 512), random)
    return bytes(content)


def _declare_size(content: bytearray, place: int, random: Random) -> None:
    """Writes a size, and optionally a type, into the header at an offset, with a valid checksum."""
    size = random.choice((*INTERESTING, *HUGE))
    octal = f"{size:011o}\0".encode()
    content[place + 124 : place + 136] = (
        octal if len(octal) == 12 else b"\x80" + (size % 2**88).to_bytes(11, "big")
    )
    if random.random() < 0.5:
        content[place + 156 : place + 157] = random.choice(TAR_TYPES)
    content[place + 148 : place + 156] = b" " * 8
    checksum = sum(content[place : place + 512])
    content[place + 148 : place + 156] = f"{checksum:06o}\0 ".encode()


def _entries(random: Random) -> list[tuple[str, bytes]]:
    entries = list(_faces().items())
    for _ in range(random.choice((1, 2, 5))):
        name = random.choice((*NAMES, PARTITION, *TEXTS[:7]))
        contents = (
            b"",
            b"x" * 2000,
            bytes(10**6),
            b"a.png 0\n" * 50_000,
            b"0.jpg 9\n",
            random.choice(entries)[1],
        )
        entries.insert(random.randrange(len(entries) + 1), (name, random.choice(contents)))
    return entries


def _compressed(content: bytes, random: Random) -> bytes:
    compress = random.choice((bytes, gzip.compress, bz2.compress, lzma.compress))
    bomb = bytes(random.choice((0, 0, 0, 10**6, 3 * 10**8))) if compress is gzip.compress else b""
    packed = compress(content + bomb)
    return mutate_bytes(packed, random) if random.random() < 0.15 else packed
