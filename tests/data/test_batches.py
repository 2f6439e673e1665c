"""Training batches: their contents, order and augmentation."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_experiments import small_dataset

from srcli.data.augmentation import Augmentation
from srcli.data.batches import TrainingBatches, augment, draw_changes
from srcli.data.dataset import Dataset
from srcli.errors import DataError
from srcli.processes import Share

PLAIN = Augmentation(horizontal_flip=False, brightness=0.0, contrast=0.0, saturation=0.0)
CPU = torch.device("cpu")


def numbered_dataset(faces: int) -> Dataset:
    """Face i has the value i everywhere; the last one is the test split."""
    pixels = np.broadcast_to(np.arange(faces, dtype=np.uint8)[:, None, None, None], (faces, 72, 72, 3))
    indices = np.arange(faces)
    return Dataset(pixels, {"train": indices[:-1], "validation": indices[:0], "test": indices[-1:]}, "", "")


def members(batches: TrainingBatches, number: int) -> list[int]:
    values = batches.batch(number, CPU).high_res[:, 0, 0, 0]
    return [round(float(value + 1) * 127.5) for value in values]


def test_an_epoch_shows_every_training_face_once_and_no_test_face() -> None:
    batches = TrainingBatches(numbered_dataset(13), PLAIN, batch_size=4, seed=3)
    first = [member for number in (0, 1, 2) for member in members(batches, number)]
    second = [member for number in (3, 4, 5) for member in members(batches, number)]
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second


def test_batches_cross_the_end_of_an_epoch() -> None:
    batches = TrainingBatches(numbered_dataset(6), PLAIN, batch_size=4, seed=0)
    seen = [member for number in range(5) for member in members(batches, number)]
    assert all(sorted(seen[start : start + 5]) == list(range(5)) for start in range(0, 20, 5))


def test_a_batch_is_a_function_of_its_number_and_the_seed() -> None:
    settings = Augmentation(horizontal_flip=True, brightness=0.05, contrast=0.05, saturation=0.05)
    dataset = small_dataset()
    batches = TrainingBatches(dataset, settings, batch_size=4, seed=5)
    later = batches.batch(9, CPU)
    batches.batch(2, CPU)
    assert torch.equal(batches.batch(9, CPU).high_res, later.high_res)
    other = TrainingBatches(dataset, settings, batch_size=4, seed=6)
    assert not torch.equal(other.batch(9, CPU).high_res, later.high_res)


def tiles_of(labels: torch.Tensor) -> torch.Tensor:
    """The quarters of labels of one colour each, in levels: (B, 3, 64, 64) -> (B, 2, 2, 32, 32)."""
    quarters = labels[:, 0].unflatten(1, (2, 32)).unflatten(3, (2, 32)).transpose(2, 3)
    return ((quarters + 1) * 127.5).round().int()


def test_mosaics_are_four_training_faces_the_first_of_them_the_rows_own() -> None:
    dataset = numbered_dataset(13)
    plain = TrainingBatches(dataset, PLAIN, batch_size=4, seed=3)
    batches = TrainingBatches(dataset, PLAIN.model_copy(update={"mosaic": 1.0}), batch_size=4, seed=3)
    seen = set()
    for number in range(20):
        tiles = tiles_of(batches.batch(number, CPU).high_res)
        assert torch.equal(tiles.amin((3, 4)), tiles.amax((3, 4)))
        assert tiles[:, 0, 0, 0, 0].tolist() == members(plain, number)
        seen |= set(tiles[..., 0, 0].flatten().tolist())
    assert seen == set(range(12))


def test_the_share_of_mosaics_is_the_one_set_and_ranks_draw_their_rows_of_them() -> None:
    settings = PLAIN.model_copy(update={"mosaic": 0.25})
    batches = TrainingBatches(numbered_dataset(200), settings, batch_size=400, seed=3)
    labels = batches.batch(0, CPU).high_res
    plain = labels.amin((1, 2, 3)) == labels.amax((1, 2, 3))
    assert 0.18 < 1 - plain.float().mean() < 0.32
    ranks = [replace(batches, share=Share(rank, 2)).batch(0, CPU).high_res for rank in (0, 1)]
    assert torch.equal(torch.cat(ranks), labels)


def test_batches_drawn_together_are_those_drawn_one_by_one() -> None:
    settings = Augmentation(horizontal_flip=True, brightness=0.05, contrast=0.05, saturation=0.05)
    batches = TrainingBatches(small_dataset(), settings, batch_size=4, seed=5)
    for number, together in enumerate(batches.batches(range(3, 9), CPU), 3):
        alone = batches.batch(number, CPU)
        assert torch.equal(together.high_res, alone.high_res)
        assert torch.equal(together.low_res, alone.low_res)


def test_the_input_is_the_four_by_four_mean_of_the_label() -> None:
    batch = TrainingBatches(small_dataset(), PLAIN, batch_size=3, seed=0).batch(0, CPU)
    blocks = batch.high_res.reshape(3, 3, 16, 4, 16, 4).mean((3, 5))
    torch.testing.assert_close(batch.low_res, blocks)
    assert batch.high_res.shape == (3, 3, 64, 64)


def test_crops_are_windows_of_the_face_at_all_nine_offsets_both_ways_round() -> None:
    dataset = small_dataset(faces=3, test=2)
    face = dataset.faces[0].astype(np.float32).transpose(2, 0, 1) / 127.5 - 1
    flipping = PLAIN.model_copy(update={"horizontal_flip": True})
    batches = TrainingBatches(dataset, flipping, batch_size=1, seed=0)
    seen = set()
    for number in range(150):
        crop = batches.batch(number, CPU).high_res[0].numpy()
        seen |= {
            (top, left, flip)
            for flip in (False, True)
            for top in range(9)
            for left in range(9)
            if np.allclose(
                face[:, top : top + 64, left : left + 64][:, :, :: -1 if flip else 1], crop, atol=1e-6
            )
        }
    assert {top for top, _, _ in seen} == {left for _, left, _ in seen} == set(range(9))
    assert {flip for _, _, flip in seen} == {False, True}
    assert len(seen) > 80


def ramp_dataset(size: int) -> Dataset:
    """Two faces, one for training: red grows with the column and green with the row, evenly from 0 to 255."""
    ramp = np.arange(size) * 255 / (size - 1)
    face = np.stack(np.broadcast_arrays(ramp[None, :], ramp[:, None], 0.0), -1).round().astype(np.uint8)
    indices = np.arange(2)
    splits = {"train": indices[:1], "validation": indices[:0], "test": indices[1:]}
    return Dataset(np.stack([face, face]), splits, "", "ramps")


def test_windows_are_log_uniform_in_side_and_uniform_in_place() -> None:
    settings = PLAIN.model_copy(update={"windows": (64, 240)})
    dataset = ramp_dataset(256)  # pixel (row, column) is (column, row, 0)
    batches = TrainingBatches(dataset, settings, batch_size=100, seed=0)
    crops = torch.cat([batches.batch(number, CPU).high_res for number in range(10)])
    red, green = ((crops[:, channel].double() + 1) * 127.5 for channel in (0, 1))
    # The label's first column is centred (side / 64 - 1) / 2 behind the window's left, its last as far in.
    sides = (red[:, 0, 63] - red[:, 0, 0]).numpy() * 64 / 63
    lefts = red[:, 0, 0].numpy() - (sides / 64 - 1) / 2
    tops = green[:, 0, 0].numpy() - (sides / 64 - 1) / 2
    assert 63 <= sides.min() < 68
    assert 232 < sides.max() <= 242
    quartiles = 64 * (240 / 64) ** np.array([0.25, 0.5, 0.75])
    assert np.quantile(sides, [0.25, 0.5, 0.75]) == pytest.approx(quartiles, rel=0.06)
    for starts in (lefts, tops):
        places = starts / (256 - sides)  # uniform in [0, 1]
        assert np.quantile(places, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.06)
        assert places.min() < 0.03
        assert places.max() > 0.97
    assert abs(np.corrcoef(lefts / (256 - sides), tops / (256 - sides))[0, 1]) < 0.1


def test_a_window_of_twice_the_label_is_its_two_by_two_mean() -> None:
    dataset = small_dataset(faces=3, test=2)
    large = dataset.faces.repeat(2, axis=1).repeat(2, axis=2)[:, 8:136, 8:136]
    settings = PLAIN.model_copy(update={"windows": (128, 128)})
    label = TrainingBatches(replace(dataset, faces=large), settings, 1, seed=0).batch(0, CPU).high_res[0]
    expected = dataset.faces[0, 4:68, 4:68].transpose(2, 0, 1) / np.float32(127.5) - 1
    np.testing.assert_allclose(label.numpy(), expected, atol=1e-6)


def test_windows_of_all_sizes_are_a_function_of_the_number_and_the_seed() -> None:
    settings = Augmentation(
        horizontal_flip=True, brightness=0.05, contrast=0.05, saturation=0.05, windows=(64, 100)
    )
    faces = small_dataset().faces.repeat(2, axis=1).repeat(2, axis=2)
    dataset = replace(small_dataset(), faces=faces)
    batches = TrainingBatches(dataset, settings, batch_size=4, seed=5)
    later = batches.batch(9, CPU).high_res
    batches.batch(2, CPU)
    assert torch.equal(batches.batch(9, CPU).high_res, later)
    assert torch.equal(TrainingBatches(dataset, settings, 4, 5).batch(9, CPU).high_res, later)
    assert not torch.equal(TrainingBatches(dataset, settings, 4, 6).batch(9, CPU).high_res, later)


def test_windows_larger_than_the_stored_faces_are_refused() -> None:
    settings = PLAIN.model_copy(update={"windows": (64, 73)})
    with pytest.raises(DataError, match="reaches 73 pixels, faces of drawn for tests have 72") as caught:
        TrainingBatches(small_dataset(), settings, batch_size=4, seed=0)
    assert len(str(caught.value).splitlines()) == 1
    TrainingBatches(small_dataset(), PLAIN.model_copy(update={"windows": (64, 72)}), batch_size=4, seed=0)


def one_change(**change: float) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.rand(64, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.4 + 0.3
    settings = PLAIN.model_copy(update=change)
    return images, from_pixels(images, settings)


def from_pixels(images: torch.Tensor, settings: Augmentation) -> torch.Tensor:
    """Images in [0, 1] as `augment` changes them."""
    return (augment(images * 255, draw_changes(settings, np.random.default_rng(0), len(images))) + 1) / 2


def test_brightness_adds_one_number_a_picture_within_its_range() -> None:
    images, changed = one_change(brightness=0.05)
    shifts = (changed - images).flatten(1)
    torch.testing.assert_close(shifts, shifts[:, :1].expand_as(shifts), atol=1e-6, rtol=0)
    assert 0.04 < shifts.abs().max() <= 0.05 + 1e-6


def test_contrast_scales_about_each_channels_mean() -> None:
    images, changed = one_change(contrast=0.05)
    mean = images.mean((2, 3), keepdim=True)
    torch.testing.assert_close(changed.mean((2, 3), keepdim=True), mean)
    factors = ((changed - mean) / (images - mean)).flatten(1).median(1).values
    assert 0.95 - 1e-4 <= factors.min() < 0.96
    assert 1.04 < factors.max() <= 1.05 + 1e-4


def test_saturation_scales_about_grey() -> None:
    images, changed = one_change(saturation=0.05)
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    grey = (images * weights).sum(1, keepdim=True)
    torch.testing.assert_close((changed * weights).sum(1, keepdim=True), grey)
    factors = ((changed - grey) / (images - grey)).flatten(1).median(1).values
    assert 0.95 - 1e-3 <= factors.min() < 0.96
    assert 1.04 < factors.max() <= 1.05 + 1e-3


def test_changed_colours_stay_in_range() -> None:
    images = torch.rand(32, 3, 4, 4).round()
    strong = Augmentation(horizontal_flip=False, brightness=0.5, contrast=0.5, saturation=0.5)
    changed = from_pixels(images, strong)
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert changed.max().item() == pytest.approx(1)
