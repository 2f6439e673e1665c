"""A residual branch over bicubic enlargement, without normalisation: learns fast, takes any size."""

from abc import abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srcli.data.task import Sizes, Task
from srcli.models.layers import Depth, NetworkSettings, Width, doubling_mistakes, initialize_he

BRANCH_SHARE = 0.1
"""What is left of a block's last weights at the start, so that deep branches begin near the identity."""


class ResidualGenerator(NetworkSettings):
    """Residual blocks at the input's size, pixel shuffles up, added to the bicubic enlargement.

    The blocks are those of EDSR (Lim et al. 2017, section 3), the skip over all is VDSR's (Kim et al. 2016).
    """

    architecture: Literal["residual"]
    width: Width = 64
    blocks: Depth = 16

    normalization: ClassVar[Literal["none"]] = "none"

    def sizes(self, task: Task) -> Sizes:
        """Convolutions reach one pixel each at the input's size, less at larger ones."""
        return Sizes(scale=task.scale, context=2 * self.blocks + 5)

    def mistakes(self, task: Task) -> list[str]:
        """Pixel shuffles double."""
        return doubling_mistakes(task)

    def build(self, task: Task) -> nn.Module:
        """The network, which starts as bicubic enlargement: (B, 3, h, w) in [-1, 1] to (B, 3, sh, sw)."""
        # The fastest layout for these convolutions on processors and GPUs alike; values are the same.
        return ResidualNetwork(self.width, self.blocks, task.doublings).to(memory_format=torch.channels_last)


class OverBicubic(nn.Module):
    """Residual blocks at the input's size, whose features a subclass turns into detail over bicubic."""

    def __init__(self, width: int, blocks: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        branches = [Block(width) for _ in range(blocks)]
        self.trunk = nn.Sequential(*branches, nn.Conv2d(width, width, 3, padding=1))

    def start(self, last: nn.Conv2d) -> None:
        """Initialises all layers so that the output of `last` is 0: the network begins as bicubic."""
        initialize_he(self)
        with torch.no_grad():
            for module in self.trunk:
                if isinstance(module, Block):
                    module.second.weight.mul_(BRANCH_SHARE)
            last.weight.zero_()

    @abstractmethod
    def detail(self, features: Tensor) -> Tensor:
        """Features (B, width, h, w) to (B, 3, scale h, scale w)."""

    def forward(self, low_res: Tensor) -> Tensor:
        """(B, 3, h, w) in [-1, 1] to (B, 3, scale h, scale w), which may leave [-1, 1] a little."""
        features = self.stem(low_res)
        features = features + self.trunk(features)
        bicubic = F.interpolate(low_res, scale_factor=self.scale, mode="bicubic", align_corners=False)
        enlarged: Tensor = bicubic + self.detail(features)
        return enlarged


class ResidualNetwork(OverBicubic):
    """The layers of a `ResidualGenerator`."""

    def __init__(self, width: int, blocks: int, doublings: int) -> None:
        super().__init__(width, blocks, 2**doublings)
        self.enlarge = nn.Sequential(*(layer for _ in range(doublings) for layer in _double(width)))
        self.to_rgb = nn.Conv2d(width, 3, 3, padding=1)
        self.start(self.to_rgb)

    def detail(self, features: Tensor) -> Tensor:
        """As `OverBicubic.detail`, by pixel shuffles that double."""
        detail: Tensor = self.to_rgb(self.enlarge(features))
        return detail


class Block(nn.Module):
    """Two 3x3 convolutions with a ReLU between, added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape."""
        change: Tensor = self.second(F.relu(self.first(features)))
        return features + change


def _double(width: int) -> list[nn.Module]:
    return [nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.ReLU()]
