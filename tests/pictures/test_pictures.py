"""Area averages, pixel ranges and grids against values computed by hand."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srcli.data.task import PAPER
from srcli.errors import ImageError
from srcli.pictures.opening import open_picture
from srcli.pictures.pixels import as_png, from_network, grid, to_network, to_uint8
from srcli.pictures.resize import area_average, enlarge_bicubic, enlarge_nearest, resize_area
from srcli.storage.atomic import write_bytes


def test_area_averages_are_exact_means_of_blocks() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 12, 3), dtype=np.uint8)
    blocks = pixels.reshape(3, 2, 4, 3, 4, 3).astype(float).mean(axis=(2, 4))
    assert np.array_equal(area_average(pixels, 4), blocks)
    with pytest.raises(ValueError, match="8 x 12 is no multiple of 5"):
        area_average(pixels, 5)


def test_area_averages_agree_with_pillows_box_filter() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    pillow = np.asarray(Image.fromarray(pixels).resize((16, 16), Image.Resampling.BOX))
    assert np.abs(PAPER.low_res_of(pixels[None])[0].astype(int) - pillow).max() <= 1


@pytest.mark.parametrize(("size", "side"), [(384, 64), (240, 64), (100, 64), (9, 6), (6, 6)])
def test_squares_are_averaged_by_the_exact_area_of_every_pixel(size: int, side: int) -> None:
    pixels = np.random.default_rng(size).integers(0, 256, (size, size, 3), dtype=np.uint8)
    # With each pixel repeated `side` times, a result's pixel is the plain mean of `size` of them.
    sums = pixels.astype(int).repeat(side, axis=0).reshape(side, size, size, 3).sum(1)
    sums = sums.repeat(side, axis=1).reshape(side, side, size, 3).sum(2)
    assert np.array_equal(resize_area(pixels, side), (2 * sums + size**2) // (2 * size**2))  # half up


def test_the_centre_window_is_eight_ninths_of_the_face() -> None:
    faces = np.random.default_rng(4).integers(0, 256, (2, 144, 144, 3), dtype=np.uint8)
    means = faces[:, 8:136, 8:136].reshape(2, 64, 2, 64, 2, 3).astype(float).mean((2, 4))
    assert np.array_equal(PAPER.centre_window(faces), np.floor(means + 0.5))
    assert np.array_equal(PAPER.centre_window(faces[:, :72, :72]), faces[:, 4:68, 4:68])
    assert PAPER.centre_window(faces[:0]).shape == (0, 64, 64, 3)


def test_rounding_is_half_up_and_clipped() -> None:
    assert to_uint8(np.array([-3, 0.49, 0.5, 1.5, 254.5, 300])).tolist() == [0, 0, 1, 2, 255, 255]


def test_every_byte_survives_the_way_into_the_networks_range_and_back() -> None:
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    values = to_network(pixels)
    assert values.shape == (1, 3, 16, 16)
    assert values.dtype == np.float32
    assert (values.min(), values.max()) == (-1, 1)
    assert np.array_equal(from_network(values), pixels)


def test_nearest_repeats_and_bicubic_is_pillows() -> None:
    low_res = np.random.default_rng(2).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    assert np.array_equal(
        enlarge_nearest(low_res, PAPER.scale), np.kron(low_res, np.ones((1, 4, 4, 1), np.uint8))
    )
    pillow = Image.fromarray(low_res[1]).resize((28, 20), Image.Resampling.BICUBIC)
    assert np.array_equal(enlarge_bicubic(low_res, PAPER.scale)[1], np.asarray(pillow))


def test_a_grid_lays_cells_out_with_gaps() -> None:
    red, blue = np.full((2, 3, 3), (255, 0, 0), np.uint8), np.full((2, 3, 3), (0, 0, 255), np.uint8)
    sheet = grid([[red, blue], [blue]], gap=1, background=9)
    assert sheet.shape == (5, 7, 3)
    assert (sheet[0, 0] == (255, 0, 0)).all()
    assert (sheet[0, 4] == (0, 0, 255)).all()
    assert (sheet[:, 3] == 9).all()
    assert (sheet[3:, 4:] == 9).all()


def test_a_written_png_reads_back(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    write_bytes(tmp_path / "a.png", as_png(pixels))
    assert np.array_equal(np.asarray(open_picture(tmp_path / "a.png", "a.png")), pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"^none\.png: No such file or directory$"):
        open_picture(tmp_path / "none.png", "none.png")
