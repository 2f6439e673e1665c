"""Residual blocks at the input's size and one pixel shuffle: the quality of `residual` for less time."""

from typing import ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F

from srcli.data.task import SCALE
from srcli.models.layers import Depth, Width, initialize_he
from srcli.models.residual import BRANCH_SHARE, Block


class CompactGenerator(BaseModel):
    """The blocks of `residual` and one pixel shuffle to the output's size, added to the bicubic enlargement.

    The shuffle from the input's size is that of ESPCN (Shi et al. 2016, section 3.1): no convolution runs at
    a larger size, where `residual` does a third of its arithmetic and keeps most of its memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: Literal["compact"]
    width: Width = 80
    blocks: Depth = 16

    normalization: ClassVar[Literal["none"]] = "none"
    takes_noise: ClassVar[bool] = False
    input_size: ClassVar[None] = None
    size_multiple: ClassVar[int] = 1
    # Few bytes a pixel: 1.4 KB at a width of 80, a fifth of what residual takes.
    tile_size: ClassVar[int] = 352

    @property
    def margin(self) -> int:
        """Input pixels that the convolutions reach: one each, two in a block."""
        return 2 * self.blocks + 3

    def build(self) -> nn.Module:
        """The network, initialised to bicubic enlargement: (B, 3, h, w) in [-1, 1] to (B, 3, 4h, 4w)."""
        return CompactNetwork(self.width, self.blocks).to(memory_format=torch.channels_last)


class CompactNetwork(nn.Module):
    """The layers of a `CompactGenerator`."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.trunk = nn.Sequential(
            *(Block(width) for _ in range(blocks)), nn.Conv2d(width, width, 3, padding=1)
        )
        self.to_pixels = nn.Conv2d(width, 3 * SCALE**2, 3, padding=1)
        initialize_he(self)
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, Block):
                    module.second.weight.mul_(BRANCH_SHARE)
            self.to_pixels.weight.zero_()

    def forward(self, low_res: Tensor) -> Tensor:
        """(B, 3, h, w) in [-1, 1] to (B, 3, 4h, 4w), which may leave [-1, 1] a little."""
        features = self.stem(low_res)
        features = features + self.trunk(features)
        bicubic = F.interpolate(low_res, scale_factor=SCALE, mode="bicubic", align_corners=False)
        enlarged: Tensor = bicubic + F.pixel_shuffle(self.to_pixels(features), SCALE)
        return enlarged
