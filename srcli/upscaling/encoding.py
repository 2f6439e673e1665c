"""Writing pictures, with their profile, their EXIF data, and a note of what made them."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

from srcli.upscaling.pictures import Picture

DEFAULT_QUALITY = 95


@dataclass(frozen=True)
class Provenance:
    """What an output says of its making.

    Attributes:
        software: This program and its version.
        model: The model's label and the SHA-256 of its weight file.
    """

    software: str
    model: str


def encode(picture: Picture, image_format: str, quality: int, provenance: Provenance) -> memoryview:
    """Encodes a picture.

    The provenance stands in the text chunks `Software` and `srcli:model` of a PNG, and in the EXIF tag
    Software of a JPEG or WebP.

    Args:
        picture: A picture that `fit_format` has fitted to the format.
        image_format: PNG, JPEG or WEBP.
        quality: 1 to 100; PNG is lossless and takes no notice.
        provenance: What made the picture.
    """
    image, exif, buffer = _to_image(picture), _exif_of(picture), io.BytesIO()
    profile = picture.icc_profile
    if image_format == "PNG":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text("Software", provenance.software)
        chunks.add_text("srcli:model", provenance.model)
        image.save(buffer, "PNG", pnginfo=chunks, icc_profile=profile, exif=exif.tobytes() if exif else b"")
        return buffer.getbuffer()
    exif[ExifTags.Base.Software] = f"{provenance.software}, {provenance.model}"
    if image_format == "JPEG":
        # Faces suffer from halved colour resolution.
        image.save(buffer, "JPEG", quality=quality, subsampling=0, icc_profile=profile, exif=exif.tobytes())
    else:
        image.save(buffer, image_format, quality=quality, icc_profile=profile, exif=exif.tobytes())
    return buffer.getbuffer()


def _to_image(picture: Picture) -> Image.Image:
    """Grey, colour, grey with alpha or colour with alpha: modes L (or I;16), RGB, LA and RGBA."""
    colour = picture.colour
    image = Image.fromarray(colour[..., 0] if colour.shape[2] == 1 else colour)
    if picture.alpha is not None:
        image.putalpha(Image.fromarray(np.ascontiguousarray(picture.alpha)))
    return image


def _exif_of(picture: Picture) -> Image.Exif:
    """The EXIF data, the size in them brought up to date."""
    exif = Image.Exif()
    exif.load(picture.exif)
    if ExifTags.IFD.Exif in exif:
        details = exif.get_ifd(ExifTags.IFD.Exif)
        height, width = picture.colour.shape[:2]
        sides = {ExifTags.Base.ExifImageWidth: width, ExifTags.Base.ExifImageHeight: height}
        details.update({tag: side for tag, side in sides.items() if tag in details})
    return exif
