"""The picture formats that every command reads."""

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
}
"""Formats that Pillow decodes by itself, unlike EPS for example, and their endings."""

PICTURE_ENDINGS = tuple(sorted(ending for endings in READ_FORMATS.values() for ending in endings))
"""What the names of pictures in folders and archives end in."""


def readable_formats() -> list[str]:
    """The formats that this build of Pillow knows: AVIF is a part that some lack."""
    from PIL import Image

    Image.init()
    return [name for name in READ_FORMATS if name in Image.OPEN]
