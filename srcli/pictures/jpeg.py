"""Ordinary JPEGs, decoded to the same pixels as Pillow's in half its time."""

import simplejpeg

from srcli.pictures.opening import MAX_PIXELS
from srcli.pictures.pixels import Pixels


def decode_ordinary_jpeg(content: bytes) -> Pixels | None:
    """The pixels (H, W, 3) of a JPEG that is undamaged, upright and in colour or grey; None for all others.

    `open_picture` decodes what is left out, or says what is wrong with it.
    """
    if not content.startswith(b"\xff\xd8\xff") or b"Exif\0" in content:  # EXIF may turn it
        return None
    try:
        height, width, kind, _ = simplejpeg.decode_jpeg_header(content)
        if kind not in ("YCbCr", "Gray") or height * width > MAX_PIXELS:
            return None
        pixels: Pixels = simplejpeg.decode_jpeg(content)
    except ValueError:
        return None
    return pixels
