"""Back-projection against plain averages of the output's squares, on extreme inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pixels import REPEAT, Blur, colourful, enlarged, noise

from srcli.data.task import Sizes
from srcli.upscaling.bicubic import enlarge_rows
from srcli.upscaling.consistency import settle_residual
from srcli.upscaling.pictures import Picture
from srcli.upscaling.pixels import Pixels
from srcli.upscaling.tiles import enlarge_pixels


class Painter:
    """Outputs full-contrast noise for any input, darker than any input."""

    description = Sizes()

    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        batch, channels, height, width = low_res.shape
        chance = np.random.default_rng(height * width)
        painted = chance.uniform(-3, 1, (batch, channels, 4 * height, 4 * width))
        return painted.astype(np.float32)


def averages(pixels: Pixels) -> NDArray[np.float64]:
    height, width, channels = pixels.shape
    return pixels.astype(np.float64).reshape(height // 4, 4, width // 4, 4, channels).mean(axis=(1, 3))


def extremes(height: int, width: int) -> Pixels:
    """Black, white and their neighbouring levels at random."""
    chance = np.random.default_rng(1)
    return chance.choice(np.array([0, 1, 254, 255], np.uint8), (height, width, 3))


INPUTS = {
    "noise": noise(33, 50),
    "extremes": extremes(20, 31),
    "black": np.zeros((16, 16, 3), np.uint8),
    "white": np.full((16, 16, 3), 255, np.uint8),
    "grey": noise(17, 19, 1),
    "one pixel": noise(1, 1),
    "sixteen bits": noise(18, 20, 1, 65535),
}


@pytest.mark.parametrize("pixels", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("network", [Painter(), Blur(reach=3, context=3)], ids=["painter", "blur"])
def test_the_area_average_of_a_consistent_output_is_the_input_within_one_level(
    network: Painter | Blur, pixels: Pixels
) -> None:
    plain = enlarge_pixels(pixels, network, tile_size=16)
    output = enlarge_pixels(pixels, network, tile_size=16, consistent=True)
    assert output.dtype == pixels.dtype
    assert np.abs(averages(output) - pixels).max() <= 0.75
    if isinstance(network, Painter):
        assert np.abs(averages(plain) - pixels).max() > 60


@given(st.integers(0, 255), st.lists(st.floats(-300, 600), min_size=16, max_size=16))
@settings(max_examples=200, deadline=None)
def test_any_square_can_be_settled_on_any_level(level: int, square: list[float]) -> None:
    low_res = np.full((1, 1, 1), level, np.uint8)
    settled = settle_residual(np.reshape(square, (4, 4, 1)), low_res, 4)
    assert abs(settled.mean() - level) <= 0.75


def test_what_is_consistent_already_stays_as_it_is() -> None:
    pixels = noise(40, 30)
    repeated = pixels.repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_array_equal(enlarge_pixels(pixels, REPEAT, tile_size=16, consistent=True), repeated)


@pytest.mark.parametrize("tile_size", [11, 16])
def test_consistent_outputs_do_not_depend_on_the_tiles(tile_size: int) -> None:
    pixels, network = noise(50, 33), Blur(reach=3, context=3)
    whole = enlarge_pixels(pixels, network, tile_size=1000, consistent=True)
    tiled = enlarge_pixels(pixels, network, tile_size=tile_size, consistent=True)
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_the_correction_of_a_smooth_picture_shows_no_squares() -> None:
    ramp = np.linspace(60, 190, 24).round().astype(np.uint8)
    pixels = np.broadcast_to(ramp[None, :, None], (24, 24, 3))
    output = enlarge_pixels(pixels, Darker(), consistent=True)[8:-8, 8:-8].astype(int)
    assert np.abs(np.diff(output, axis=1)).max() <= 4  # The ramp's own step is 5.65 in 4 pixels.


class Darker:
    """Bicubic enlargement, a fifth darker."""

    description = Sizes(context=3)

    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        pixels = np.rint((low_res[0].transpose(1, 2, 0) + 1) * 127.5).astype(np.uint8)
        large = enlarge_rows(pixels, 0, len(pixels), 4).transpose(2, 0, 1)[None]
        return (large * 0.8 / 127.5 - 1).astype(np.float32)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_comparison_has_pillows_bicubic_at_the_left_and_the_output_at_the_right(mode: str) -> None:
    image = colourful().convert("RGB").convert(mode)
    pixels = np.asarray(image).reshape(30, 20, -1)
    has_alpha = mode == "RGBA"
    picture = Picture(pixels[..., :3], pixels[..., 3] if has_alpha else None)
    both = enlarged(picture, REPEAT, compare=True)
    bicubic = np.asarray(image.resize((80, 120), Image.Resampling.BICUBIC)).reshape(120, 80, -1)
    np.testing.assert_array_equal(both[:, :80], bicubic)
    np.testing.assert_array_equal(both[:, 80:], enlarged(picture, REPEAT))
