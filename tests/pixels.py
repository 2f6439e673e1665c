"""Pixels and picture files to enlarge, and a network with known arithmetic."""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srcli.generators.description import Description
from srcli.upscaling.pictures import Picture, finish_rows, fit_format, show_visible
from srcli.upscaling.pixels import Pixels
from srcli.upscaling.tiles import Network, enlarge_pixels
from srcli.upscaling.writing import write_picture


@dataclass(frozen=True)
class Blur:
    """Averages squares of 2 * reach + 1 pixels, zeros outside, and repeats every pixel 4 times."""

    reach: int
    context: int
    input_size: int | None = None

    @property
    def description(self) -> Description:
        return Description(
            name="blur", step=5, experiment={}, context=self.context, input_size=self.input_size
        )

    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        side = 2 * self.reach + 1
        padded = np.pad(low_res, ((0, 0), (0, 0), (self.reach,) * 2, (self.reach,) * 2))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(2, 3))
        means: NDArray[np.float32] = windows.mean(axis=(4, 5), dtype=np.float32)
        return means.repeat(4, axis=2).repeat(4, axis=3)


PROVENANCE = {"Software": "srcli 1.2", "srcli:model": "mlp-gan, step 3, sha256 abc"}

REPEAT = Blur(reach=0, context=0)


def noise(height: int, width: int, channels: int = 3, peak: int = 255) -> Pixels:
    dtype = np.uint8 if peak == 255 else np.uint16
    return np.random.default_rng(height * width).integers(0, peak + 1, (height, width, channels), dtype=dtype)


def soft(height: int, width: int) -> Pixels:
    """Random colours 8 pixels apart, and smooth between them, so that they are not taken for noise."""
    few = Image.fromarray(noise(-(-height // 8), -(-width // 8)))
    return np.array(few.resize((width, height), Image.Resampling.BICUBIC))


def colourful(width: int = 20, height: int = 30) -> Image.Image:
    return Image.fromarray(noise(height, width))


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes) -> io.BytesIO:
    """A hand-made PNG, for variants that Pillow does not write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + data)


def enlarged(picture: Picture, network: Network, compare: bool = False) -> Pixels:
    """All channels of a picture's output, in one piece."""
    picture, scale = show_visible(picture), network.description.scale
    return finish_rows(picture, enlarge_pixels(picture.colour, network), 0, scale, compare)


def file_of(picture: Picture, image_format: str = "PNG", quality: int = 95) -> bytes:
    """The file that a picture becomes when it stays as large as it is, written in two parts."""
    alpha = [] if picture.alpha is None else [picture.alpha[..., None]]
    rows = np.concatenate([picture.colour, *alpha], axis=2)
    size, buffer = (rows.shape[1], rows.shape[0]), io.BytesIO()
    bands = [band for band in np.split(rows, [len(rows) // 2]) if len(band)]
    write_picture(buffer, bands, size, picture, image_format, quality, PROVENANCE)
    return buffer.getvalue()


def written(picture: Picture, image_format: str = "PNG", quality: int = 95) -> Image.Image:
    """A picture fitted to a format, written, and read back by Pillow."""
    fitted = fit_format(picture, image_format, picture.colour.shape[1::-1], "a.png")
    with Image.open(io.BytesIO(file_of(fitted, image_format, quality))) as image:
        image.load()
        return image


def encoded(image: Image.Image, image_format: str = "PNG", **options: Any) -> io.BytesIO:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    buffer.seek(0)
    return buffer
