"""Reading and writing every kind of picture with its metadata, checked with Pillow."""

import struct
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from pixels import REPEAT, Blur, colourful, encoded, enlarged, file_of, noise, png, written

from srcli.errors import ImageError
from srcli.upscaling.bicubic import enlarge_rows
from srcli.upscaling.pictures import Picture, fill_hidden, fit_format
from srcli.upscaling.reading import read_picture


def read(image: Image.Image, image_format: str = "PNG", **options: Any) -> Picture:
    return read_picture(encoded(image, image_format, **options), "a.png")


def cmyk_profile() -> bytes:
    """An ICC profile whose lightness is 1 - cyan, without colour, whatever the other inks are."""
    clut = b"".join(bytes([0 if corner & 8 else 255, 128, 128]) for corner in range(16))
    identity = struct.pack(">9i", *(65536 if index % 4 == 0 else 0 for index in range(9)))
    table = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + table * 4 + clut + table * 3
    tags = struct.pack(">I4sII", 1, b"A2B0", 144, len(lut))
    header = struct.pack(
        ">I4sI4s4s4s12s4s", 144 + len(lut), b"", 0x02400000, b"prtr", b"CMYK", b"Lab ", b"", b"acsp"
    )
    white = struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(68, b"\0") + white.ljust(60, b"\0") + tags + lut


@pytest.mark.parametrize(
    ("mode", "channels", "alpha"),
    [
        ("1", 1, False),
        ("L", 1, False),
        ("LA", 1, True),
        ("P", 3, False),
        ("RGB", 3, False),
        ("RGBA", 3, True),
    ],
)
def test_grey_stays_grey_and_alpha_stays_alpha(mode: str, channels: int, alpha: bool) -> None:
    image = colourful().convert(mode)
    picture = read(image)
    assert picture.colour.shape == (30, 20, channels)
    assert (picture.alpha is not None) == alpha
    result = written(picture)
    assert result.mode == {"1": "L", "P": "RGB"}.get(mode, mode)
    np.testing.assert_array_equal(np.asarray(result), np.asarray(image.convert(result.mode)))


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "BMP", "WEBP", "GIF"])
def test_lossless_formats_are_read_exactly(image_format: str) -> None:
    image = colourful().quantize(64).convert("RGB")
    options = {"lossless": True} if image_format == "WEBP" else {}
    np.testing.assert_array_equal(read(image, image_format, **options).colour, np.asarray(image))


def test_transparent_palette_entries_become_alpha() -> None:
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture = read(image, transparency=bytes([255, 128, 0]))
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[255, 128], [0, 128]]
    assert picture.colour[0].tolist() == [[255, 0, 0], [0, 255, 0]]


def test_sixteen_bit_grey_stays_so_in_png_and_is_scaled_elsewhere() -> None:
    ramp = np.linspace(0, 65535, 20 * 30).round().astype(np.uint16).reshape(30, 20)
    picture = read(Image.fromarray(ramp))
    np.testing.assert_array_equal(np.asarray(written(picture)), ramp)
    reduced = fit_format(picture, "JPEG", (80, 120), "a.png").colour[..., 0]
    np.testing.assert_array_equal(reduced, np.rint(ramp / 257))
    assert written(picture, "JPEG").mode == "L"


def test_sixteen_bit_colour_is_read_as_eight_bits() -> None:
    rows = b"\0" + struct.pack(">6H", 0, 257, 514, 257 * 255, 257 * 100, 257 * 7)
    assert read_picture(png(2, 1, 16, 2, rows), "a").colour.tolist() == [[[0, 1, 2], [255, 100, 7]]]


def test_cmyk_without_a_profile_is_taken_as_plain_inks() -> None:
    picture = read(Image.new("CMYK", (4, 4), (255, 0, 0, 0)), "TIFF")
    assert picture.colour[0, 0].tolist() == [0, 255, 255]


def test_cmyk_is_converted_through_its_profile_which_is_then_dropped() -> None:
    image = Image.fromarray(np.array([[[0, 255, 0, 255], [255, 0, 0, 0]]], np.uint8), "CMYK")
    picture = read(image, "TIFF", icc_profile=cmyk_profile())
    assert np.abs(picture.colour.astype(int) - [[[255] * 3, [0] * 3]]).max() <= 2
    assert picture.icc_profile is None


def test_a_damaged_cmyk_profile_is_an_error() -> None:
    with pytest.raises(ImageError, match=r"a\.png: its CMYK colour profile is damaged"):
        read(Image.new("CMYK", (4, 4)), "JPEG", icc_profile=b"no profile at all")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied_and_forgotten(orientation: int) -> None:
    upright = Image.fromarray(noise(3, 2))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Acme"
    picture = read(stored, exif=exif)
    np.testing.assert_array_equal(picture.colour, np.asarray(upright))
    kept = written(picture).getexif()
    assert kept.get(ExifTags.Base.Orientation, 1) == 1
    assert kept[ExifTags.Base.Make] == "Acme"


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("source_format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_profile_and_exif_travel_from_every_format_to_every_format(
    source_format: str, image_format: str
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ada"
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.ISOSpeedRatings: 200, ExifTags.Base.ExifImageWidth: 5}
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N"}
    picture = read(colourful(), source_format, exif=exif.tobytes(), icc_profile=profile)
    result = written(picture, image_format)
    kept = result.getexif()
    assert result.info["icc_profile"] == profile
    assert kept[ExifTags.Base.Artist] == "Ada"
    assert kept.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] == 200
    assert kept.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] == 20
    assert kept.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert ExifTags.Base.StripOffsets not in kept


def test_outputs_say_what_made_them() -> None:
    picture = read(colourful())
    image = written(picture)
    assert image.info["Software"] == "srcli 1.2"
    assert image.info["srcli:model"] == "mlp-gan, step 3, sha256 abc"
    assert not image.getexif()
    for image_format in ("JPEG", "WEBP"):
        software = written(picture, image_format).getexif()[ExifTags.Base.Software]
        assert software == "srcli 1.2, mlp-gan, step 3, sha256 abc"


def test_exif_data_too_long_for_jpeg_are_left_out_and_said_so() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "x" * 70_000
    picture = read(colourful(), exif=exif)
    fitted = fit_format(picture, "JPEG", (80, 120), "a.png")
    assert fitted.remarks == ("its EXIF data is too long for JPEG and was dropped",)
    assert ExifTags.Base.ImageDescription not in written(picture, "JPEG").getexif()
    assert len(written(picture).getexif()[ExifTags.Base.ImageDescription]) == 70_000


def test_damaged_exif_data_are_left_out_and_said_so() -> None:
    picture = read(colourful(), "JPEG", exif=b"Exif\0\0nothing of the kind")
    assert picture.remarks == ("its EXIF data is damaged and was dropped",)
    assert picture.exif == b""


def test_quality_makes_smaller_files_and_jpeg_keeps_full_colour_resolution() -> None:
    picture = read(colourful(64, 64))
    for image_format in ("JPEG", "WEBP"):
        sizes = [len(file_of(picture, image_format, quality)) for quality in (10, 95)]
        assert sizes[0] < sizes[1] / 2
    jpeg = written(picture, "JPEG")
    assert {component[1:3] for component in jpeg.layer} == {(1, 1)}  # type: ignore[attr-defined]


def test_only_the_first_frame_is_read_and_that_is_said() -> None:
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    for image_format in ("GIF", "WEBP", "PNG", "TIFF"):
        options = {"lossless": True} if image_format == "WEBP" else {}
        picture = read(first, image_format, save_all=True, append_images=[second], **options)
        assert picture.colour[0, 0].tolist() == [255, 0, 0]
        assert picture.remarks == ("only its first frame is enlarged",)
    assert read(first, "MPO", save_all=True, append_images=[second]).remarks == ()


def test_opaque_stays_opaque_and_fits_jpeg() -> None:
    picture = read(colourful().convert("RGBA"))
    output = enlarged(picture, REPEAT)
    assert output.shape == (120, 80, 4)
    assert output[..., 3].min() == 255
    assert written(picture, "JPEG").mode == "RGB"


def test_alpha_is_enlarged_by_pillows_bicubic_filter() -> None:
    alpha = noise(9, 7, 1)[..., 0].astype(np.uint8)
    expected = Image.fromarray(alpha).resize((28, 36), Image.Resampling.BICUBIC)
    parts = [enlarge_rows(alpha[..., None], start, stop, 4) for start, stop in ((0, 1), (1, 4), (4, 9))]
    np.testing.assert_array_equal(np.concatenate(parts)[..., 0], np.asarray(expected))


def test_black_under_transparent_pixels_leaves_no_dark_fringe() -> None:
    disc = np.hypot(*np.mgrid[-20:20, -20:20]) < 13
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[disc] = (255, 240, 200, 255)
    output = enlarged(read(Image.fromarray(pixels)), Blur(reach=2, context=2))
    visible = output[output[..., 3] > 0][:, :3].astype(int)
    assert np.abs(visible - [255, 240, 200]).max() <= 1
    assert 0 < output[..., 3].mean() < 255


def test_hidden_colours_come_from_the_nearest_visible_ones_and_visible_ones_stay() -> None:
    colour = noise(21, 34)
    alpha = np.zeros((21, 34), np.uint8)
    alpha[:, :3], alpha[:, -3:] = 255, 1
    colour[:, :3], colour[:, -3:] = 10, 200
    filled = fill_hidden(colour, alpha)
    np.testing.assert_array_equal(filled[alpha > 0], colour[alpha > 0])
    assert (filled[:, 3] == 10).all()
    assert (filled[:, -4] == 200).all()
    np.testing.assert_array_equal(fill_hidden(colour, np.zeros_like(alpha)), colour)


def test_transparent_parts_do_not_go_into_a_jpeg() -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 254))
    with pytest.raises(ImageError, match=r"a\.png: JPEG cannot store its transparency\. Write it as PNG"):
        fit_format(read(image), "JPEG", (32, 32), "a.png")
    assert written(read(image), "WEBP").mode == "RGBA"


@pytest.mark.parametrize(("image_format", "longest"), [("JPEG", 65_500), ("WEBP", 16_383)])
def test_outputs_longer_than_the_format_are_refused_before_the_work(image_format: str, longest: int) -> None:
    picture = Picture(np.zeros((1, 1, 1), np.uint8))
    assert fit_format(picture, image_format, (4, longest), "a.png") is picture
    with pytest.raises(ImageError, match=rf"a\.png: {longest + 1} x 4 is too large for {image_format}"):
        fit_format(picture, image_format, (longest + 1, 4), "a.png")
