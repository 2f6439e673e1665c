"""Any trained generator by what a person calls it: a bundled name, a run, a weight file, an ONNX file."""

import difflib
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from srcli.bundled import BUNDLED, read_bundled
from srcli.errors import CheckpointError
from srcli.portable import load_portable, open_portable


class Generator(Protocol):
    """A trained generator and what a caller must know to feed it, whatever runs it.

    Attributes:
        name: Of the experiment that trained it.
        label: The name and the step.
        sha256: Of the weight file.
        scale: How many times larger the output is, per side.
        takes_noise: It draws faces from noise and enlarges nothing.
        input_size: The one side length it takes, in pixels; None for any size.
        size_multiple: Sides must be multiples of this many pixels.
        margin: Input pixels farther away than this have no influence on an output pixel.
        tile_size: Side of the squares that large pictures are enlarged in, in input pixels, without margins.
    """

    @property
    def name(self) -> str: ...
    @property
    def step(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def scale(self) -> int: ...
    @property
    def takes_noise(self) -> bool: ...
    @property
    def input_size(self) -> int | None: ...
    @property
    def size_multiple(self) -> int: ...
    @property
    def margin(self) -> int: ...
    @property
    def tile_size(self) -> int: ...

    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        """Enlarges pictures (B, 3, h, w) in [-1, 1] to (B, 3, 4h, 4w)."""

    def sample(self, count: int, seed: int) -> NDArray[np.float32]:
        """Draws `count` faces (count, 3, 64, 64) in [-1, 1] from standard normal noise."""


def load_generator(model: str, device: str = "cpu") -> Generator:
    """The generator that a person means; torch is imported only for what is not ONNX.

    Args:
        model: The name of a bundled model, or the path of a run, a checkpoint, a .safetensors or an .onnx
            file. A name means the bundled model even if a folder is called so; `./faces` is the folder.
        device: `auto`, `cpu`, `cuda`, ...

    Raises:
        CheckpointError: Nothing there, damaged, not of this project, or a critic's weights.
        UserError: The device cannot be used.
    """
    if model in BUNDLED:
        return open_portable(read_bundled(model), model, device)
    path = Path(model)
    if path.suffix == ".onnx":
        return load_portable(path, device)
    if not path.exists():
        similar = difflib.get_close_matches(model, BUNDLED, n=1)
        question = f"Did you mean {similar[0]}? " if similar else ""
        raise CheckpointError(
            f"there is no model {model}",
            f"{question}Give {', '.join(BUNDLED)}, a run, a .safetensors or an .onnx file.",
        )
    from srcli import checkpoints

    return checkpoints.load_generator(path, device)
