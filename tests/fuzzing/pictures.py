"""Pictures, as `srcli upscale` and `srcli prepare-data` read them."""

import io
import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from PIL import ExifTags, Image, ImageCms, PngImagePlugin
from pixels import REPEAT

from fuzzing.mutations import HUGE, INTERESTING, mutate_bytes
from srcli.errors import ImageError
from srcli.packing.faces import face_of
from srcli.packing.layouts import FACES
from srcli.pictures.pixels import to_uint8
from srcli.upscaling.plan import Job
from srcli.upscaling.reading import read_picture
from srcli.upscaling.run import upscale_all
from srcli.upscaling.stages import UpscaleOptions

ENLARGED_PIXELS = 20_000
"""Larger pictures are read but not enlarged, since that time is legitimate."""


class Pictures:
    """Damaged pictures of every format, and pictures with false headers."""

    name = "pictures"

    def hostile(self, random: Random) -> Mapping[str, bytes]:
        originals = _originals()
        content = random.choice(originals)
        if content.startswith(b"\x89PNG") and random.random() < 0.6:
            content = _mutated_png(content, random)
        else:
            # Most of the time the first bytes stay, which say what it is.
            start = random.choice((0, 4, 12, 12))
            content = content[:start] + mutate_bytes(content[start:], random, originals)
        ending = random.choice(("png", "jpg", "tif", "webp"))
        return {f"{random.choice(('a', 'b[bold]', 'c' + chr(27) + '[31m'))}.{ending}": content}

    def use(self, given: Path, work: Path) -> None:
        (path,) = given.iterdir()
        # The other reader first: the one that follows ends with an error.
        with suppress(ImageError):
            face_of(path.read_bytes(), path.name, FACES, 8)
        picture = read_picture(path, path.name)
        height, width = picture.colour.shape[:2]
        if height * width <= ENLARGED_PIXELS:
            jobs = [Job(path, work / f"out.{ending}") for ending in ("png", "jpg", "webp")]
            if upscale_all(jobs, UpscaleOptions(REPEAT)).failed == len(jobs):
                raise ImageError("no format could hold it")


@cache
def _originals() -> tuple[bytes, ...]:
    random = np.random.default_rng(1)
    smooth = np.linspace(0, 255, 90 * 80 * 3).reshape(90, 80, 3)
    colour = Image.fromarray(to_uint8(smooth + random.normal(0, 9, smooth.shape)))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.ISOSpeedRatings: 200, ExifTags.Base.ExifImageWidth: 80}
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (1.0, 2.0, 3.0)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("a", "b" * 200, zip=True)
    small = colour.resize((20, 24))
    frames = [small.rotate(90 * turn) for turn in range(3)]
    described = {"exif": exif.tobytes(), "icc_profile": profile}
    saved = [
        (colour, "PNG", {**described, "pnginfo": notes}),
        (small.convert("P"), "PNG", {"transparency": 3}),
        (small.convert("RGBA"), "PNG", {}),
        (small.convert("I;16"), "PNG", {}),
        (small.convert("1"), "PNG", {"bits": 1}),
        (small, "PNG", {"save_all": True, "append_images": frames}),
        (colour, "JPEG", described),
        (colour, "JPEG", {"progressive": True}),
        (small.convert("CMYK"), "JPEG", {}),
        (small.convert("L"), "JPEG", {}),
        (small, "MPO", {"save_all": True, "append_images": frames}),
        (colour, "WEBP", described),
        (small.convert("RGBA"), "WEBP", {"lossless": True}),
        (small, "WEBP", {"save_all": True, "append_images": frames}),
        (small, "BMP", {}),
        (small.convert("P"), "BMP", {}),
        (small, "TIFF", {"exif": exif.tobytes()}),
        (small, "TIFF", {"compression": "tiff_lzw"}),
        (small, "TIFF", {"compression": "tiff_adobe_deflate", "tile": True}),
        (small.convert("1"), "TIFF", {"compression": "group4"}),
        (small, "TIFF", {"compression": "jpeg"}),
        (small, "TIFF", {"save_all": True, "append_images": frames}),
        (small, "GIF", {"save_all": True, "append_images": frames}),
        (small, "PPM", {}),
        (small, "JPEG2000", {}),
        (small, "AVIF", {}),
    ]
    contents = []
    for image, image_format, options in saved:
        buffer = io.BytesIO()
        try:
            # JPEG leaves its settings behind in an image and in its further frames.
            if "append_images" in options:
                options = {**options, "append_images": [frame.copy() for frame in frames]}
            image.copy().save(buffer, image_format, **options)
        except (KeyError, OSError):  # a build of Pillow without this encoder
            continue
        contents.append(buffer.getvalue())
    return tuple(contents)


def _mutated_png(content: bytes, random: Random) -> bytes:
    """A PNG with changed chunks and valid checksums."""
    chunks = _png_chunks(content)
    index = random.randrange(len(chunks)) if random.random() < 0.6 else 0
    name, data = chunks[index]
    if name == b"IHDR" and random.random() < 0.8:
        fields = list(struct.unpack(">IIBBBBB", data))
        field = random.randrange(7)
        fields[field] = random.choice((*INTERESTING, *HUGE)) % (2**32 if field < 2 else 256)
        data = struct.pack(">IIBBBBB", *fields)
    elif name == b"IDAT" and random.random() < 0.5:
        data = zlib.compress(bytes(random.choice((0, 100, 10**6, 2 * 10**8))), 9)
    else:
        data = mutate_bytes(data, random)
    chunks[index] = (
        random.choice((b"tEXt", b"zTXt", b"iCCP", b"eXIf")) if random.random() < 0.1 else name,
        data,
    )
    if random.random() < 0.1:
        chunks.insert(random.randrange(len(chunks)), random.choice(chunks))
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _png_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    chunks, place = [], 8
    while place < len(content):
        (length,) = struct.unpack_from(">I", content, place)
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    return chunks
