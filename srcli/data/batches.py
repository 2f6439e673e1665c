"""Training batches with random crops and colours, a function of the seed and batch number only."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srcli.data.augmentation import Augmentation
from srcli.data.dataset import Dataset
from srcli.data.degradation import degrade
from srcli.data.task import PAPER, Task
from srcli.errors import DataError
from srcli.pictures.pixels import RED_GREEN_BLUE, from_network, to_network
from srcli.pictures.resize import resize_area
from srcli.processes import ALONE, Share

CROP_STREAM, ORDER_STREAM, SIDE_STREAM, DEGRADATION_STREAM, MOSAIC_STREAM = range(5)


@dataclass(frozen=True)
class Batch:
    """Pictures in [-1, 1].

    Attributes:
        high_res: Labels, (B, 3, H, H).
        low_res: Their area averages, (B, 3, h, h), the target of the consistency term.
        inputs: The generator's inputs: `low_res`, degraded if the experiment says so.
    """

    high_res: Tensor
    low_res: Tensor
    inputs: Tensor


class Window(NamedTuple):
    """A square of a stored face, in its pixels."""

    member: int
    side: int
    top: int
    left: int
    flipped: bool


@dataclass(frozen=True)
class TrainingBatches:
    """The endless sequence of training batches; each epoch shows every face once, in a new order.

    Batch `n` is always the same, so a resumed run needs no saved state. Every rank draws for the whole batch
    and uses its own rows: together the ranks see the batches of a single process.

    Attributes:
        batch_size: Of all ranks together.
        share: The rows of each batch to return; the number of ranks divides the batch size.

    Raises:
        DataError: Stored faces are smaller than a label, or all of them smaller than the largest window.
    """

    dataset: Dataset
    settings: Augmentation
    batch_size: int
    seed: int
    share: Share = ALONE
    task: Task = PAPER

    def __post_init__(self) -> None:
        train = self.dataset.splits["train"]
        if len(train) and (smallest := self.dataset.sides(train).min()) < self.task.label_size:
            raise DataError(
                f"{self.dataset.source} has faces of {smallest} pixels, too small for labels of"
                f" {self.task.label_size}",
                f"Prepare them again with --size {self.task.face_size} or more.",
            )
        largest, size = self.settings.windows[1], self.dataset.largest_side
        if largest > size:
            raise DataError(
                f"augmentation.windows reaches {largest} pixels, faces of {self.dataset.source} have {size}",
                f"Set a largest window of at most {size}, or prepare the faces again with a larger --size.",
            )

    def batch(self, number: int, device: torch.device) -> Batch:
        """This rank's rows of batch `number`, counted from 0, augmented, on the device."""
        return self.batches(range(number, number + 1), device)[0]

    def batches(self, numbers: range, device: torch.device) -> list[Batch]:
        """Several batches at once, which is faster than one by one."""
        rows, side = self.share.rows(self.batch_size), self.task.label_size
        count = rows.stop - rows.start
        crops = np.empty((len(numbers), count, 3, side, side), np.uint8)
        changes = np.empty((3, len(numbers), count))
        for place, number in enumerate(numbers):
            random = np.random.default_rng((self.seed, CROP_STREAM, number))
            self._crop(crops[place], number, random)
            changes[:, place] = draw_changes(self.settings, random, self.batch_size)[:, rows]
        pixels = torch.from_numpy(crops.reshape(-1, *crops.shape[2:])).to(device).float()
        high_res = augment(pixels, changes.reshape(3, -1))
        low_res = downscale(high_res, self.task.scale)
        inputs = self._degrade(numbers, high_res, low_res)
        parts = (images.split(count) for images in (high_res, low_res, inputs))
        return [Batch(*part) for part in zip(*parts, strict=True)]

    def _degrade(self, numbers: range, high_res: Tensor, low_res: Tensor) -> Tensor:
        """The inputs from the labels, (N, 3, h, h); `low_res` itself if none is degraded."""
        settings = self.settings.degradation
        if settings is None:
            return low_res
        places = range(self.batch_size)[self.share.rows(self.batch_size)]
        # A generator per row, so that a rank draws only what it uses.
        seeds = ((self.seed, DEGRADATION_STREAM, number, place) for number in numbers for place in places)
        sources = map(np.random.default_rng, seeds)
        drawn = [(row, settings.draw(random), random) for row, random in enumerate(sources)]
        plans = [(row, plan, random) for row, plan, random in drawn if plan is not None]
        if not plans:
            return low_res
        rows = [row for row, _, _ in plans]
        labels = from_network(high_res[rows].cpu().numpy())
        pairs, side = zip(labels, plans, strict=True), low_res.shape[-1]
        small = [degrade(label, side, plan, random) for label, (_, plan, random) in pairs]
        inputs = low_res.clone()
        inputs[rows] = torch.from_numpy(to_network(np.stack(small))).to(low_res)
        return inputs

    def _members(self, number: int) -> NDArray[np.int64]:
        train = self.dataset.splits["train"]
        positions = number * self.batch_size + np.arange(self.batch_size)
        epochs, places = np.divmod(positions, len(train))
        orders = (
            _epoch_order(self.seed, epoch, len(train))[places[epochs == epoch]]
            for epoch in range(int(epochs[0]), int(epochs[-1]) + 1)
        )
        members: NDArray[np.int64] = train[np.concatenate(list(orders))]
        return members

    def _sides(self, number: int) -> NDArray[np.int64]:
        """The sides of a batch's windows."""
        smallest, largest = self.settings.windows
        if smallest == largest:
            return np.full(self.batch_size, smallest)
        # A separate stream, so that the other draws do not depend on the windows.
        random = np.random.default_rng((self.seed, SIDE_STREAM, number))
        return draw_sides(random, smallest, largest, self.batch_size)

    def _crop(self, crops: NDArray[np.uint8], number: int, random: np.random.Generator) -> None:
        """Writes this rank's labels of a batch to `crops`, (B, 3, H, H)."""
        members = self._members(number)
        windows = self._draw_windows(members, self._sides(number), random)
        for place, crop in zip(range(self.batch_size)[self.share.rows(self.batch_size)], crops, strict=True):
            of_mosaic = self._mosaic(number, place)
            if of_mosaic is None:
                self._cut(crop, windows[place])
            else:
                self._compose(crop, members[place], of_mosaic)

    def _mosaic(self, number: int, place: int) -> np.random.Generator | None:
        """What draws a row's mosaic; None if the row is none. A generator per row, as for degradation."""
        if not self.settings.mosaic:
            return None
        random = np.random.default_rng((self.seed, MOSAIC_STREAM, number, place))
        return random if random.random() < self.settings.mosaic else None

    def _compose(self, crop: NDArray[np.uint8], member: int, random: np.random.Generator) -> None:
        """Fills a label, (3, H, H), with four windows at half the scale: of its face and of three others."""
        half, (smallest, largest) = crop.shape[-1] // 2, self.settings.windows
        members = np.array([member, *random.choice(self.dataset.splits["train"], 3)])
        sides = draw_sides(random, smallest // 2, largest, 4)
        quarters = [
            crop[:, row : row + half, column : column + half] for row in (0, half) for column in (0, half)
        ]
        for quarter, window in zip(quarters, self._draw_windows(members, sides, random), strict=True):
            self._cut(quarter, window)

    def _draw_windows(
        self, members: NDArray[np.int64], sides: NDArray[np.int64], random: np.random.Generator
    ) -> list[Window]:
        """A window of each face, of the side given or as large as the face, anywhere in it."""
        stored = self.dataset.sides(members)
        sides = np.minimum(sides, stored)
        # In 72 pixels, 144 of CelebA at half size, the offsets 0..8 are the paper's jitter of [-8, 8].
        offsets = random.integers(0, (stored - sides)[:, None] + 1, size=(len(members), 2))
        flips = random.random(len(members)) < (0.5 if self.settings.horizontal_flip else 0.0)
        draws = (members, sides, offsets[:, 0], offsets[:, 1], flips)
        return [Window(*drawn) for drawn in zip(*(part.tolist() for part in draws), strict=True)]

    def _cut(self, crop: NDArray[np.uint8], window: Window) -> None:
        """Reduces a window to a crop, (3, H, H), and writes it there."""
        rows = slice(window.top, window.top + window.side)
        columns = slice(window.left, window.left + window.side)
        face = self.dataset.faces[window.member]
        reduced = resize_area(face[rows, columns], crop.shape[-1]).transpose(2, 0, 1)
        crop[:] = reduced[:, :, ::-1] if window.flipped else reduced


def draw_sides(random: np.random.Generator, smallest: int, largest: int, count: int) -> NDArray[np.int64]:
    """Sides of windows, log-uniform: 64 to 128 pixels is as likely as 128 to 256."""
    logarithms = random.uniform(np.log(smallest), np.log(largest), count)
    return np.rint(np.exp(logarithms)).astype(np.int64)


def draw_changes(settings: Augmentation, random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Uniform changes of brightness, contrast and saturation for `count` images, (3, B)."""
    ranges = [[settings.brightness], [settings.contrast], [settings.saturation]]
    return random.uniform(-1, 1, size=(3, count)) * ranges


def augment(pixels: Tensor, changes: NDArray[np.float64]) -> Tensor:
    """Changes saturation, contrast and brightness, in this order: (B, 3, H, W) in 0..255 -> [-1, 1], clipped.

    Args:
        pixels: Overwritten with the result.
        changes: (3, B), from `draw_changes`.
    """
    brightness, contrast, saturation = changes[:, :, None]  # (B, 1) each
    means = pixels.mean((2, 3)).cpu().numpy()
    # y = x + s (x - grey) and y + c (y - mean of y) are linear in x and its grey.
    means_of_y = means + saturation * (means - means @ np.reshape(RED_GREEN_BLUE, (3, 1)))
    unit, gain = 2 / 255, 1 + contrast
    rest = 2 * brightness - unit * contrast * means_of_y - 1
    factors = np.concatenate([unit * gain * (1 + saturation), -unit * gain * saturation, rest], axis=1)
    of_pixels, of_grey, rest = torch.from_numpy(factors).to(pixels)[:, :, None, None].split([1, 1, 3], dim=1)
    red, green, blue = pixels.split(1, dim=1)
    grey = (red * RED_GREEN_BLUE[0]).add_(green, alpha=RED_GREEN_BLUE[1]).add_(blue, alpha=RED_GREEN_BLUE[2])
    return pixels.mul_(of_pixels).addcmul_(grey, of_grey).add_(rest).clamp_(-1, 1)


def downscale(images: Tensor, scale: int) -> Tensor:
    """f_d, the area average: (B, C, scale h, scale w) -> (B, C, h, w)."""
    # On CPUs, two sums are faster than PyTorch's pooling.
    sums: Tensor = images.unflatten(2, (-1, scale)).sum(3).unflatten(3, (-1, scale)).sum(4)
    return sums / scale**2


@lru_cache(maxsize=2)
def _epoch_order(seed: int, epoch: int, faces: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, ORDER_STREAM, epoch)).permutation(faces)
