"""Generators that run in torch; those that run without it are in `on_onnx.py`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srcli.devices import choose_device
from srcli.errors import CheckpointError
from srcli.experiment.schema import Experiment
from srcli.generators.on_onnx import standard_noise
from srcli.models.dcgan import NOISE_SIZE
from srcli.runs.checkpoints import EMA_FILE, GENERATOR_FILE, load_weights, newest_readable, read_weights
from srcli.runs.directory import RunDirectory
from srcli.storage.checksums import check_files, read_checksums, sha256_of


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


def load_torch_generator(path: Path, device: str = "cpu") -> TorchGenerator:
    """A generator from a run (its newest checkpoint), a checkpoint folder or a weight file.

    Where a moving average was kept, a run or checkpoint folder gives that.

    Args:
        device: As `devices.choose_device` takes it.

    Raises:
        CheckpointError: Nothing there, damaged, not of this project, or a critic's weights.
    """
    file = _generator_file(path)
    tensors, description = read_weights(file)
    if description.role != "generator":
        raise CheckpointError(f"{file} holds a {description.role}, not a generator")
    experiment, step = description.experiment, description.step
    network = experiment.generator.build()
    load_weights(network, tensors, file)
    settings = experiment.generator
    return TorchGenerator(
        network=network.to(choose_device(device)).eval(),
        experiment=experiment,
        label=f"{experiment.name}, step {step}",
        step=step,
        sha256=sha256_of(file),
        takes_noise=settings.takes_noise,
        input_size=settings.input_size,
        size_multiple=settings.size_multiple,
        margin=settings.margin,
        tile_size=settings.tile_size,
    )


def _generator_file(path: Path) -> Path:
    if not path.exists():
        raise CheckpointError(f"{path} does not exist", "Give a run, a checkpoint or a .safetensors file.")
    if not path.is_dir():
        return path
    if RunDirectory(path).record_file.exists():
        steps = RunDirectory(path).checkpoint_steps()
        if not steps:
            raise CheckpointError(f"{path} has no checkpoint yet")
        return newest_readable(RunDirectory(path), steps[::-1], _generator_in)
    return _generator_in(path)


def _generator_in(folder: Path) -> Path:
    """The checked weight file of a checkpoint's generator, or of its moving average where there is one."""
    listed = read_checksums(folder)
    for name in (EMA_FILE, GENERATOR_FILE):
        if name in listed or (folder / name).is_file():
            check_files(folder, [name])
            return folder / name
    raise CheckpointError(f"{folder} is neither a run nor a checkpoint: it has no {GENERATOR_FILE}")
