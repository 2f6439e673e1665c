"""Writing pictures with their colour profile, EXIF data and provenance."""

from collections.abc import Iterable, Mapping
from typing import IO

from PIL import ExifTags, Image

from srcli.upscaling.pictures import Picture
from srcli.upscaling.pixels import Pixels
from srcli.upscaling.png import write_png_bands

DEFAULT_QUALITY = 95

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def write_picture(
    file: IO[bytes],
    bands: Iterable[Pixels],
    size: tuple[int, int],
    source: Picture,
    image_format: str,
    quality: int,
    provenance: Mapping[str, str],
) -> None:
    """Encodes a picture from bands of rows.

    A PNG is written as they arrive; other formats need the whole picture in memory.

    Args:
        bands: (rows, width, channels) from top to bottom, transparency last.
        size: Width and height of the whole picture.
        source: The input, fitted to the format; its profile and EXIF data are kept.
        image_format: PNG, JPEG or WEBP.
        quality: 1 to 100; ignored for PNG, which is lossless.
        provenance: What made the picture: text chunks of a PNG by keyword, the EXIF tag Software elsewhere.
    """
    exif = _exif_of(source.exif, size) if source.exif else Image.Exif()
    if image_format == "PNG":
        write_png_bands(file, bands, size[1], provenance, source.icc_profile, exif.tobytes() if exif else b"")
        return
    exif[ExifTags.Base.Software] = ", ".join(provenance.values())
    image, top = Image.new(_MODES[source.colour.shape[2] + (source.alpha is not None)], size), 0
    for band in bands:
        image.paste(Image.fromarray(band[..., 0] if band.shape[2] == 1 else band), (0, top))
        top += len(band)
    # Halved colour resolution harms faces; WebP has no other.
    options = {"subsampling": 0} if image_format == "JPEG" else {}
    profile = source.icc_profile
    image.save(file, image_format, quality=quality, icc_profile=profile, exif=exif.tobytes(), **options)


def _exif_of(data: bytes, size: tuple[int, int]) -> Image.Exif:
    """The EXIF data with its picture size updated."""
    exif = Image.Exif()
    exif.load(data)
    if ExifTags.IFD.Exif in exif:
        details = exif.get_ifd(ExifTags.IFD.Exif)
        sides = dict(zip((ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight), size, strict=True))
        details.update({tag: side for tag, side in sides.items() if tag in details})
    return exif
