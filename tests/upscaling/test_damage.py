"""Files that are not pictures, too large or damaged raise one of our errors and no other."""

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from pixels import colourful, encoded, png, written

from srcli.errors import ImageError
from srcli.pictures.opening import MAX_PIXELS, open_picture
from srcli.upscaling.reading import read_picture


def test_the_content_decides_what_a_picture_is(tmp_path: Path) -> None:
    path = tmp_path / "really.jpg"
    path.write_bytes(encoded(colourful(), "PNG").getvalue())
    np.testing.assert_array_equal(read_picture(path, "a").colour, np.asarray(colourful()))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "a: it is empty"),
        (b"hello there", "a: it is not a picture of PNG, JPEG, WEBP, BMP, TIFF, GIF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a: it is not a picture of PNG"),
        (encoded(colourful(), "JPEG").getvalue()[:700], "a: it is damaged or cut short"),
        (encoded(colourful(), "PNG").getvalue()[:900], "a: it is damaged or cut short"),
        (png(10_000, 10_000, 8, 2, b"").getvalue(), "a: it is too large, with more than 50,000,000 pixels"),
        (png(60_000, 60_000, 8, 2, b"").getvalue(), "a: it is too large, with more than 50,000,000 pixels"),
        (
            encoded(Image.new("F", (4, 4)), "TIFF").getvalue(),
            "a: it has pixels of the kind F. Save it as RGB or grey.",
        ),
    ],
)
def test_what_is_no_picture_is_told_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    for read in (read_picture, open_picture):
        for source in (path, io.BytesIO(content)):
            with pytest.raises(ImageError) as caught:
                read(source, "a")
            assert str(caught.value).startswith(reason)
            assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_told_as_the_system_does(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"^a: No such file or directory$"):
        read_picture(tmp_path / "none.png", "a")
    with pytest.raises(ImageError, match=r"^a: Is a directory$"):
        read_picture(tmp_path, "a")


def test_the_largest_picture_is_decoded_and_one_row_more_is_not() -> None:
    width = 20_000
    rows = bytes(width + 1) * (MAX_PIXELS // width + 1)
    assert read_picture(png(width, MAX_PIXELS // width, 8, 0, rows), "a").colour.size == MAX_PIXELS
    with pytest.raises(ImageError, match="too large"):
        read_picture(png(width, MAX_PIXELS // width + 1, 8, 0, rows), "a")


def test_any_damage_gives_a_picture_that_can_be_written_or_an_error_of_ours() -> None:
    chance = random.Random(5)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.ISOSpeedRatings: 200}
    # libtiff, which decodes compressed TIFFs, talks on standard error by itself.
    originals = [
        encoded(
            colourful(), name, **({"exif": exif.tobytes()} if name in ("PNG", "JPEG", "WEBP", "TIFF") else {})
        ).getvalue()
        for name in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")
    ]
    outcomes = set()
    for _ in range(600):
        content = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(min(len(content), chance.choice([300, 5000])))] = chance.randrange(256)
        del content[chance.choice([len(content), chance.randrange(len(content))]) :]
        try:
            picture = read_picture(io.BytesIO(content), "a")
            written(picture, "PNG")
            written(picture, "WEBP")
            outcomes.add("written")
        except ImageError as error:
            outcomes.add("too large" if "too large" in str(error) else "refused")
    assert {"written", "refused"} <= outcomes
