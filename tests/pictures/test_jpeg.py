"""Fast decoding of ordinary JPEGs: Pillow's pixels, or None."""

import io
from random import Random

import numpy as np
import pytest
from fuzzing.mutations import mutate_bytes
from PIL import Image

from srcli.drawn_faces.faces import draw_faces
from srcli.packing.faces import face_of
from srcli.packing.layouts import FACES
from srcli.pictures.jpeg import decode_ordinary_jpeg
from srcli.pictures.opening import open_picture


def jpeg(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def pillows(content: bytes) -> np.ndarray:
    return np.asarray(open_picture(io.BytesIO(content), "picture"))


FACE = Image.fromarray(draw_faces(1, 6)[0])
ORDINARY = {
    "plain": jpeg(FACE),
    "progressive": jpeg(FACE, progressive=True),
    "full colour": jpeg(FACE, subsampling=0, quality=98),
    "poor": jpeg(FACE, quality=5),
    "restarts": jpeg(FACE, restart_marker_blocks=3),
    "odd size": jpeg(FACE.resize((71, 93))),
    "grey": jpeg(FACE.convert("L")),
}


@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_jpegs_have_pillows_pixels(kind: str) -> None:
    pixels = decode_ordinary_jpeg(ORDINARY[kind])
    assert pixels is not None
    assert np.array_equal(pixels, pillows(ORDINARY[kind]))


def test_all_else_is_left_to_pillow() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    png = io.BytesIO()
    FACE.save(png, "PNG")
    others = [
        jpeg(FACE, exif=exif),
        jpeg(FACE.convert("CMYK")),
        ORDINARY["plain"][:-300],
        png.getvalue(),
        b"",
    ]
    assert [decode_ordinary_jpeg(content) for content in others] == [None] * 5


def test_a_jpeg_on_its_side_is_packed_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    upright = face_of(jpeg(FACE, quality=98, subsampling=0), "a.jpg", FACES, 72)
    turned = face_of(jpeg(FACE.rotate(180), quality=98, subsampling=0, exif=exif), "b.jpg", FACES, 72)
    assert np.abs(upright.astype(int) - turned).mean() < 2


def test_damaged_jpegs_have_pillows_pixels_or_none() -> None:
    random, originals, answered = Random(0), tuple(ORDINARY.values()), 0
    for _ in range(600):
        content = random.choice(originals)
        start = random.choice((4, 20, 300, 620))
        content = content[:start] + mutate_bytes(content[start:], random, originals)
        pixels = decode_ordinary_jpeg(content)
        if pixels is not None:
            answered += 1
            assert np.array_equal(pixels, pillows(content))
    assert 60 < answered < 540
