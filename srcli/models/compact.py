"""Residual blocks at the input's size and one pixel shuffle: the quality of `residual` for less time."""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srcli.data.task import Sizes, Task
from srcli.models.layers import Depth, NetworkSettings, Width
from srcli.models.residual import OverBicubic

TILE_SIZE = 352
"""Large, since no features are larger than the input: 80 channels take 1.7 KB for each of its pixels."""


class CompactGenerator(NetworkSettings):
    """The blocks of `residual` and one pixel shuffle to the output's size, added to the bicubic enlargement.

    The shuffle from the input's size is that of ESPCN (Shi et al. 2016, section 3.1): no convolution runs at
    a larger size, where `residual` does a third of its arithmetic and keeps most of its memory.
    """

    architecture: Literal["compact"]
    width: Width = 80
    blocks: Depth = 16

    normalization: ClassVar[Literal["none"]] = "none"

    def sizes(self, task: Task) -> Sizes:
        """Convolutions reach one pixel each: two in a block, and the first, the trunk's and the output's."""
        return Sizes(scale=task.scale, context=2 * self.blocks + 3, tile_size=TILE_SIZE)

    def build(self, task: Task) -> nn.Module:
        """The network, which starts as bicubic enlargement: (B, 3, h, w) in [-1, 1] to (B, 3, sh, sw)."""
        return CompactNetwork(self.width, self.blocks, task.scale).to(memory_format=torch.channels_last)


class CompactNetwork(OverBicubic):
    """The layers of a `CompactGenerator`."""

    def __init__(self, width: int, blocks: int, scale: int) -> None:
        super().__init__(width, blocks, scale)
        self.to_pixels = nn.Conv2d(width, 3 * scale**2, 3, padding=1)
        self.start(self.to_pixels)

    def detail(self, features: Tensor) -> Tensor:
        """As `OverBicubic.detail`, by one pixel shuffle."""
        return F.pixel_shuffle(self.to_pixels(features), self.scale)
