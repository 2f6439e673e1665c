"""Any trained generator by what a person calls it: a bundled name, a run, a weight file, an ONNX file."""

import difflib
from pathlib import Path

from srcli.errors import CheckpointError
from srcli.generators.bundled import BUNDLED, read_bundled
from srcli.generators.description import Generator
from srcli.generators.on_onnx import load_portable, open_portable


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
    from srcli.generators.on_torch import load_torch_generator

    return load_torch_generator(path, device)
