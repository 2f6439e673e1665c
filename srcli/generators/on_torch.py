"""Generators that run in torch; those that run without it are in `on_onnx.py`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from srcli.devices import choose_device
from srcli.errors import CheckpointError
from srcli.generators.description import Description, Generator
from srcli.runs.checkpoints import EMA_FILE, GENERATOR_FILE, load_weights, newest_readable, read_weights
from srcli.runs.directory import RunDirectory
from srcli.storage.checksums import check_files, read_checksums, sha256_of


@dataclass(frozen=True)
class TorchGenerator(Generator):
    """A generator that runs in torch; the network is in evaluation mode."""

    network: nn.Module

    @torch.inference_mode()
    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `Generator.enlarge`."""
        device = next(self.network.parameters()).device
        try:
            outputs = self.network(torch.from_numpy(low_res).to(device)).float().cpu()
        except RuntimeError as error:  # torch has no type of its own for a CPU out of memory
            if isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error):
                raise MemoryError(str(error)) from error
            raise
        values: NDArray[np.float32] = outputs.numpy()
        return values


def load_torch_generator(path: Path, device: str = "cpu") -> TorchGenerator:
    """A generator from a run (its newest checkpoint), a checkpoint folder or a weight file.

    Where a moving average was kept, a run or checkpoint folder gives that.

    Raises:
        CheckpointError: Nothing there, damaged, not of this project, or a critic's weights.
    """
    file = _generator_file(path)
    tensors, weights = read_weights(file)
    if weights.role != "generator":
        raise CheckpointError(f"{file} holds a {weights.role}, not a generator")
    experiment = weights.experiment
    network = experiment.generator.build(experiment.task)
    load_weights(network, tensors, file)
    description = Description(
        **dict(experiment.sizes),
        name=experiment.name,
        step=weights.step,
        experiment=experiment.model_dump(mode="json"),
        sha256=sha256_of(file),
    )
    return TorchGenerator(description, network.to(choose_device(device)).eval())


def _generator_file(path: Path) -> Path:
    if not path.exists():
        raise CheckpointError(f"{path} does not exist", "Give a run, a checkpoint or a .safetensors file.")
    if not path.is_dir():
        return path
    if RunDirectory(path).record_file.exists():
        if steps := RunDirectory(path).checkpoint_steps():
            return newest_readable(RunDirectory(path), steps[::-1], _generator_in)
        raise CheckpointError(f"{path} has no checkpoint yet")
    return _generator_in(path)


def _generator_in(folder: Path) -> Path:
    """The checked weight file of a checkpoint's generator, or of its moving average where there is one."""
    listed = read_checksums(folder)
    for name in (EMA_FILE, GENERATOR_FILE):
        if name in listed or (folder / name).is_file():
            check_files(folder, [name])
            return folder / name
    raise CheckpointError(f"{folder} is neither a run nor a checkpoint: it has no {GENERATOR_FILE}")
