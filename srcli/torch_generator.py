"""Generators that run in torch; those that run without it are in `portable.py`."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srcli.experiment import Experiment
from srcli.models.dcgan import NOISE_SIZE
from srcli.portable import standard_noise


@dataclass(frozen=True)
class TorchGenerator:
    """A trained generator in evaluation mode that runs in torch, and what a caller must know to feed it.

    What the attributes say is in `generators.Generator`.
    """

    network: nn.Module
    experiment: Experiment
    label: str
    step: int
    sha256: str
    takes_noise: bool
    input_size: int | None
    size_multiple: int
    margin: int
    tile_size: int
    scale: int = 4

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.experiment.name

    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        """Enlarges pictures (B, 3, h, w) in [-1, 1] to (B, 3, 4h, 4w) in [-1, 1]."""
        return self._run(torch.from_numpy(low_res))

    def sample(self, count: int, seed: int) -> NDArray[np.float32]:
        """Draws `count` faces (count, 3, 64, 64) in [-1, 1] from `portable.standard_noise`."""
        noise = torch.from_numpy(standard_noise(count, NOISE_SIZE, seed))
        return np.concatenate([self._run(part) for part in noise.split(64)])

    @torch.inference_mode()
    def _run(self, inputs: Tensor) -> NDArray[np.float32]:
        device = next(self.network.parameters()).device
        try:
            outputs: NDArray[np.float32] = self.network(inputs.to(device)).float().cpu().numpy()
        except RuntimeError as error:  # torch has no type of its own for a CPU out of memory
            if isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error):
                raise MemoryError(str(error)) from error
            raise
        return outputs
