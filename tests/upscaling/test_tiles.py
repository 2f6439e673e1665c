"""Tiled enlargement against one pass over the whole picture, with known arithmetic and real networks."""

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pixels import REPEAT, Blur, noise
from tiny_experiments import show, small_experiment

from srcli.data.task import PAPER, Sizes
from srcli.errors import CheckpointError, ImageError
from srcli.generators.description import Description
from srcli.generators.on_torch import TorchGenerator
from srcli.upscaling.tiles import check_size, enlarge_pixels, enlarge_tile_rows, spans, tile_rows_of


@dataclass(frozen=True)
class Mosaic:
    """Averages whole squares of `size_multiple` pixels, so that it matters where a window starts."""

    size_multiple: int = 5
    context: int = 0

    @property
    def description(self) -> Sizes:
        return Sizes(size_multiple=self.size_multiple, context=self.context)

    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        batch, channels, height, width = low_res.shape
        side = self.size_multiple
        squares = low_res.reshape(batch, channels, height // side, side, width // side, side).mean(
            axis=(3, 5)
        )
        return squares.repeat(4 * side, axis=2).repeat(4 * side, axis=3).astype(np.float32)


def real_generator(name: str) -> TorchGenerator:
    """A narrow generator whose normalisation has seen noise, so that its outputs fill their range."""
    experiment = small_experiment(generator=name)
    torch.manual_seed(0)
    return TorchGenerator(
        Description(**dict(experiment.sizes), name=name, step=1, experiment={}),
        show(experiment.generator.build(PAPER), torch.rand(4, 3, 32, 32) * 2 - 1),
    )


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 40),
    st.sampled_from([1, 3]),
    st.sampled_from([255, 65535]),
)
@settings(deadline=None, max_examples=60)
def test_tiles_fit_together_exactly_at_any_size(
    height: int, width: int, tile: int, channels: int, peak: int
) -> None:
    pixels = noise(height, width, channels, peak)
    repeated = pixels.repeat(4, axis=0).repeat(4, axis=1)
    enlarged = enlarge_pixels(pixels, REPEAT, tile_size=tile)
    assert enlarged.dtype == pixels.dtype
    np.testing.assert_array_equal(enlarged, repeated)


def test_tiles_are_as_large_as_the_network_says() -> None:
    tile_rows = tile_rows_of(noise(700, 900), Sizes(context=35, tile_size=352))
    assert [(tile_row.rows.start, tile_row.rows.stop) for tile_row in tile_rows] == [(0, 350), (350, 700)]
    assert [(span.start, span.stop) for span in tile_rows[0].columns] == [(0, 300), (300, 600), (600, 900)]
    assert tile_rows[1].window(tile_rows[1].columns[1]).shape == (385, 370, 3)


@pytest.mark.parametrize("size", [(50, 33), (16, 200), (1, 70)])
def test_tiles_with_enough_context_equal_one_pass(size: tuple[int, int]) -> None:
    network = Blur(reach=3, context=3)
    pixels = noise(*size)
    whole = enlarge_pixels(pixels, network, tile_size=1000)
    tiled = enlarge_pixels(pixels, network, tile_size=11)
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_tiles_with_too_little_context_would_show() -> None:
    pixels = noise(50, 33)
    whole = enlarge_pixels(pixels, Blur(reach=3, context=2), tile_size=1000)
    tiled = enlarge_pixels(pixels, Blur(reach=3, context=2), tile_size=11)
    assert np.abs(whole.astype(int) - tiled).max() > 10


@pytest.mark.parametrize("margin", [0, 5, 7])
def test_windows_start_at_multiples_whatever_the_margin_and_tile_are(margin: int) -> None:
    pixels = noise(43, 29)
    whole = enlarge_pixels(pixels, Mosaic(), tile_size=1000)
    tiled = enlarge_pixels(pixels, Mosaic(context=margin), tile_size=12)
    np.testing.assert_array_equal(whole, tiled)


@pytest.mark.parametrize("name", ["dcgan", "resnet"])
def test_real_networks_give_the_same_picture_with_and_without_tiles(name: str) -> None:
    generator = real_generator(name)
    pixels = noise(75, 50)
    whole = enlarge_pixels(pixels, generator, tile_size=1000)
    tiled = enlarge_pixels(pixels, generator, tile_size=24)
    assert whole.shape == (300, 200, 3)
    assert whole.std() > 10
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_a_training_sized_picture_goes_through_a_network_in_one_untouched_piece() -> None:
    generator = real_generator("resnet")
    pixels = noise(16, 16)
    low_res = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]).astype(np.float32) / np.float32(127.5) - 1
    direct = generator.enlarge(low_res)[0]
    expected = np.floor((direct.astype(np.float64) + 1) * 127.5 + 0.5).transpose(1, 2, 0)
    np.testing.assert_array_equal(enlarge_pixels(pixels, generator), expected)


def test_grey_is_the_mean_of_the_three_channels_that_grey_gives() -> None:
    generator = real_generator("resnet")
    grey = noise(20, 24, 1)
    colour = enlarge_pixels(np.broadcast_to(grey, (20, 24, 3)), generator)
    mean = colour.astype(float).mean(axis=2)
    assert colour.std(axis=2).max() > 5
    assert np.abs(enlarge_pixels(grey, generator)[..., 0] - mean).max() <= 1


def test_sixteen_bits_keep_what_eight_would_round_away() -> None:
    ramp = np.arange(16 * 20, dtype=np.uint16).reshape(16, 20, 1) + 30_000
    enlarged = enlarge_pixels(ramp, REPEAT)
    assert len(np.unique(enlarged)) == 320


def test_pictures_of_one_size_share_a_batch_whatever_their_pixels_are() -> None:
    pictures = [noise(16, 16), noise(16, 16, 1), noise(16, 16, 1, 65535)]
    tile_rows = [tile_row for pixels in pictures for tile_row in tile_rows_of(pixels, REPEAT.description)]
    for pixels, enlarged in zip(pictures, enlarge_tile_rows(tile_rows, REPEAT), strict=True):
        np.testing.assert_array_equal(enlarged, pixels.repeat(4, axis=0).repeat(4, axis=1))


def test_missing_pixels_are_mirrored_and_not_black() -> None:
    white = np.full((1, 1, 3), 255, np.uint8)
    assert (enlarge_pixels(white, Blur(reach=3, context=3))[0, 0] > 255 * 16 / 49 - 1).all()
    assert enlarge_pixels(white, Mosaic(size_multiple=16)).min() == 255


@given(st.integers(1, 500), st.integers(1, 200), st.integers(1, 16), st.integers(0, 40))
def test_spans_cover_an_axis_once_with_their_context(
    blocks: int, tile: int, multiple: int, margin: int
) -> None:
    length = blocks * multiple
    found = spans(length, tile, multiple, margin)
    covered = [place for span in found for place in range(span.start, span.stop)]
    assert covered == list(range(length))
    for span in found:
        assert span.start % multiple == span.window.start % multiple == span.window.stop % multiple == 0
        assert span.window.start == 0 or span.start - span.window.start >= margin
        assert span.window.stop == length or span.window.stop - span.stop >= margin
        assert span.stop - span.start < tile + multiple


def test_memory_beyond_the_output_is_that_of_a_few_tiles() -> None:
    pixels = noise(600, 800)
    tracemalloc.start()
    enlarged = enlarge_pixels(pixels, REPEAT, tile_size=64)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - enlarged.nbytes - pixels.nbytes < 15_000_000


def test_progress_adds_up_to_one_picture() -> None:
    shares: list[float] = []
    enlarge_pixels(noise(40, 40), REPEAT, tile_size=16, on_progress=shares.append)
    assert len(shares) == 6  # In every row of tiles, the two that are cut off by an edge run together.
    assert sum(shares) == pytest.approx(1)


def test_a_diverged_network_is_named_as_such() -> None:
    generator = real_generator("resnet")
    for weights in generator.network.parameters():
        weights.data.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="not a number"):
        enlarge_pixels(noise(16, 16), generator)


def test_a_network_of_one_size_refuses_others_and_names_picture_size_and_way_out() -> None:
    mlp = Blur(reach=0, context=0, input_size=16).description
    check_size(16, 16, mlp, "a.png")
    check_size(1234, 1, REPEAT.description, "a.png")
    with pytest.raises(ImageError) as caught:
        check_size(24, 16, mlp, "a.png")
    assert str(caught.value) == (
        "a.png: it is 24x16, but the model (blur, step 5) takes exactly 16x16."
        " Use a convolutional model (resnet or dcgan), which takes any size."
    )
