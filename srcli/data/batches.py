"""Training batches: fresh crops and changed colours, a function of the seed and the batch's number alone."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from srcli.data.dataset import Dataset
from srcli.data.images import LABEL_SIZE, SCALE, resize_area
from srcli.errors import DataError
from srcli.ranks import ALONE, Share

CROP_STREAM, ORDER_STREAM, SIDE_STREAM = 0, 1, 2
RED_GREEN_BLUE = (0.299, 0.587, 0.114)  # ITU-R BT.601 luma, as Pillow's and TensorFlow's grey


class AugmentationSettings(Protocol):
    """What crops and `augment` read; see `experiment.Augmentation` for the ranges."""

    @property
    def windows(self) -> tuple[int, int]: ...
    @property
    def horizontal_flip(self) -> bool: ...
    @property
    def brightness(self) -> float: ...
    @property
    def contrast(self) -> float: ...
    @property
    def saturation(self) -> float: ...


@dataclass(frozen=True)
class Batch:
    """Labels (B, 3, 64, 64) and their 4x4 area averages (B, 3, 16, 16), both in [-1, 1]."""

    high_res: Tensor
    low_res: Tensor


@dataclass(frozen=True)
class TrainingBatches:
    """The endless sequence of a split's batches; each epoch sees every face once, in a new order.

    Batch `n` is the same whenever it is asked for, so that a continued run needs no saved state. Its draws
    are the whole batch's on every rank, of which each uses its own rows: together the ranks see the batches
    that one process sees.

    Attributes:
        batch_size: Of all ranks together.
        share: Which rows of every batch are given out; the number of ranks divides the batch size.

    Raises:
        DataError: The largest window is larger than the stored faces, the largest where they differ.
    """

    dataset: Dataset
    settings: AugmentationSettings
    batch_size: int
    seed: int
    share: Share = ALONE

    def __post_init__(self) -> None:
        largest, size = self.settings.windows[1], self.dataset.largest_side
        if largest > size:
            raise DataError(
                f"augmentation.windows reaches {largest} pixels, faces of {self.dataset.source} have {size}",
                f"Set a largest window of at most {size}, or prepare the faces again with a larger --size.",
            )

    def batch(self, number: int, device: torch.device) -> Batch:
        """This rank's rows of batch number `number`, from 0, augmented, on the device."""
        random = np.random.default_rng((self.seed, CROP_STREAM, number))
        crops = self._crops(self._members(number), self._sides(number), random)
        channels_first = torch.from_numpy(crops).to(device).permute(0, 3, 1, 2)
        labels = channels_first.to(torch.float32, memory_format=torch.contiguous_format).div_(255)
        high_res = augment(labels, self.settings, random, self.share).mul_(2).sub_(1)
        return Batch(high_res, F.avg_pool2d(high_res, SCALE))

    def _members(self, number: int) -> NDArray[np.int64]:
        train = self.dataset.splits["train"]
        positions = number * self.batch_size + np.arange(self.batch_size)
        epochs, places = np.divmod(positions, len(train))
        return np.array(
            [
                train[_epoch_order(self.seed, int(e), len(train))[p]]
                for e, p in zip(epochs, places, strict=True)
            ]
        )

    def _sides(self, number: int) -> NDArray[np.int64]:
        """The sides of a batch's windows, log-uniform: as many from 64 to 128 pixels as from 128 to 256."""
        # Numbers of their own, so that the other draws are the same whatever the windows are.
        random = np.random.default_rng((self.seed, SIDE_STREAM, number))
        smallest, largest = np.log(self.settings.windows)
        return np.rint(np.exp(random.uniform(smallest, largest, self.batch_size))).astype(np.int64)

    def _crops(
        self, members: NDArray[np.int64], sides: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.uint8]:
        stored = self.dataset.sides(members)
        sides = np.minimum(sides, stored)
        # In 72 pixels, 144 of CelebA at half size, the offsets 0..8 are the paper's jitter of [-8, 8].
        offsets = random.integers(0, (stored - sides)[:, None] + 1, size=(len(members), 2))
        flips = random.random(len(members)) < (0.5 if self.settings.horizontal_flip else 0.0)
        rows = self.share.rows(len(members))
        crops = np.empty((rows.stop - rows.start, LABEL_SIZE, LABEL_SIZE, 3), np.uint8)
        draws = zip(crops, members[rows], sides[rows], offsets[rows], flips[rows], strict=True)
        for crop, member, side, (top, left), flip in draws:
            face = self.dataset.faces[member]
            window = resize_area(face[top : top + side, left : left + side], LABEL_SIZE)
            crop[:] = window[:, ::-1] if flip else window
        return crops


def augment(
    images: Tensor,
    settings: AugmentationSettings,
    random: np.random.Generator,
    share: Share = ALONE,
) -> Tensor:
    """Changes brightness, contrast and saturation of images (B, 3, H, W) in [0, 1], and clips to [0, 1].

    Args:
        share: Which rows of a whole batch the images are; it is drawn for all of them.
    """
    total = len(images) * share.count
    shifts = random.uniform(-1, 1, size=(3, total))[:, share.rows(total)] * [
        [settings.brightness],
        [settings.contrast],
        [settings.saturation],
    ]
    brightness, contrast, saturation = torch.from_numpy(shifts).to(images)[:, :, None, None, None]
    red, green, blue = images.split(1, dim=1)
    grey = red * RED_GREEN_BLUE[0] + green * RED_GREEN_BLUE[1] + blue * RED_GREEN_BLUE[2]
    images = torch.addcmul(images, images - grey, saturation)
    images = torch.addcmul(images, images - images.mean((2, 3), keepdim=True), contrast)
    return images.add_(brightness).clamp_(0, 1)


@lru_cache(maxsize=2)
def _epoch_order(seed: int, epoch: int, faces: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, ORDER_STREAM, epoch)).permutation(faces)
