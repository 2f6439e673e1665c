"""The picture formats that every command reads."""

from contextlib import suppress
from functools import cache

READ_FORMATS = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    "PPM": (".ppm", ".pgm"),
    "JPEG2000": (".jp2",),
    "AVIF": (".avif",),
    "HEIF": (".heic", ".heif"),
}
"""File name endings by format: what Pillow decodes itself (unlike EPS), and HEIF by the extra `heic`."""

PICTURE_ENDINGS = tuple(sorted(ending for endings in READ_FORMATS.values() for ending in endings))
"""The endings by which pictures are found in folders and archives."""

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")


def readable_formats() -> list[str]:
    """The formats that this installation reads: some builds of Pillow lack AVIF, and HEIF needs an extra."""
    from PIL import Image

    Image.init()
    _register_heif()
    return [name for name in READ_FORMATS if name in Image.OPEN]


def what_reads(head: bytes) -> str:
    """How to read a picture that Pillow does not recognise, by its first 12 bytes; empty if not known."""
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in _HEIF_BRANDS and "HEIF" not in readable_formats():
        return "it is HEIC, which is read with pip install 'srcli[heic]'"
    if brand in _AVIF_BRANDS and "AVIF" not in readable_formats():
        return "it is AVIF, which this build of Pillow lacks: pip install --upgrade pillow"
    return ""


@cache
def _register_heif() -> None:
    """Registers HEIF with Pillow where the extra is installed; once, as each time lists the format again."""
    with suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
