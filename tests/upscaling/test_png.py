"""PNGs written band by band, as Pillow reads them."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pixels import noise

from srcli.upscaling.pixels import Pixels
from srcli.upscaling.png import write_png_bands


def png_of(bands: list[Pixels]) -> Image.Image:
    buffer = io.BytesIO()
    write_png_bands(buffer, bands, sum(map(len, bands)), {"Software": "é"}, b"profile", b"Exif\0\0MM")
    image = Image.open(io.BytesIO(buffer.getvalue()))
    image.load()
    return image


@given(
    st.integers(1, 300), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.sampled_from([1, 2, 3, 4])
)
@settings(max_examples=60, deadline=None)
def test_pillow_reads_what_was_written_whatever_the_bands_are(
    width: int, heights: list[int], channels: int
) -> None:
    pixels = noise(sum(heights), width, channels)
    pixels[::3] //= 16
    image = png_of(np.split(pixels, np.cumsum(heights)[:-1]))
    assert image.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)


def test_bands_beyond_what_is_filtered_at_once_are_read_as_written() -> None:
    pixels = noise(700, 600)
    np.testing.assert_array_equal(np.asarray(png_of([pixels[:500], pixels[500:]])), pixels)


def test_sixteen_bit_grey_is_read_as_written() -> None:
    pixels = noise(20, 31, 1, 65535)
    np.testing.assert_array_equal(np.asarray(png_of([pixels[:7], pixels[7:]])), pixels[..., 0])


def test_what_belongs_to_the_picture_stands_before_its_pixels() -> None:
    image = png_of([noise(4, 4)])
    assert image.info["Software"] == "é"
    assert image.info["icc_profile"] == b"profile"
    assert image.info["exif"] == b"Exif\0\0MM"


@pytest.mark.parametrize("scale", [1, 4])
def test_flat_and_smooth_pictures_become_small(scale: int) -> None:
    buffer = io.BytesIO()
    ramp = np.arange(256, dtype=np.uint8).repeat(scale)
    pixels = np.broadcast_to(ramp[:, None, None], (256 * scale, 256, 3))
    write_png_bands(buffer, [pixels], len(pixels), {}, None, b"")
    assert len(buffer.getvalue()) < pixels.size / 100


def test_nothing_is_written_before_the_first_rows_are_there() -> None:
    buffer = io.BytesIO()

    def failing() -> Pixels:
        raise RuntimeError("no rows")

    with pytest.raises(RuntimeError):
        write_png_bands(buffer, (failing() for _ in range(1)), 4, {}, None, b"")
    assert buffer.getvalue() == b""
