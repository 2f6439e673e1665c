"""Any trained generator by what a person calls it: a bundled name, a run, a weight file, an ONNX file."""

import difflib
from pathlib import Path

from srcli.errors import CheckpointError, UserError
from srcli.generators.bundled import BUNDLED, read_bundled
from srcli.generators.description import Generator
from srcli.generators.on_onnx import gpu_provider, open_on_gpu, open_portable, read_portable

ON_PROCESSOR = ("auto", "cpu")
"""Devices that ONNX models run on without torch."""


def load_generator(model: str, device: str = "cpu") -> Generator:
    """The generator that a person means; torch is imported only for what is not ONNX, or for a GPU.

    Args:
        model: The name of a bundled model, or the path of a run, a checkpoint, a .safetensors or an .onnx
            file. A name means the bundled model even if a folder is called so; `./faces` is the folder.
        device: `auto`, `cpu`, `cuda`, ...; of ONNX models, `auto` is the processor.

    Raises:
        CheckpointError: Nothing there, damaged, not of this project, or a critic's weights.
        UserError: The device cannot be used.
    """
    if model in BUNDLED:
        return _open_onnx(read_bundled(model), model, device)
    path = Path(model)
    if path.suffix == ".onnx":
        return _open_onnx(read_portable(path), model, device)
    if not path.exists():
        similar = difflib.get_close_matches(model, BUNDLED, n=1)
        question = f"Did you mean {similar[0]}? " if similar else ""
        raise CheckpointError(
            f"there is no model {model}",
            f"{question}Give {', '.join(BUNDLED)}, a run, a .safetensors or an .onnx file.",
        )
    from srcli.generators.on_torch import load_torch_generator

    return load_torch_generator(path, device)


def _open_onnx(content: bytes, source: str, device: str) -> Generator:
    """An ONNX model on the processor or, by onnxruntime if that can use it, else by torch, on a GPU."""
    portable = open_portable(content, source)
    if device in ON_PROCESSOR:
        return portable
    import onnxruntime

    provider = gpu_provider(device, onnxruntime.get_available_providers())
    if provider is not None and (on_gpu := open_on_gpu(content, portable, provider)):
        return on_gpu
    from srcli.devices import choose_device
    from srcli.generators.onnx_in_torch import open_in_torch

    try:
        chosen = choose_device(device)
    except UserError as error:
        reason = "'s provider for it does not start" if provider else " has no provider for it either"
        raise UserError(
            f"{error.message}; onnxruntime{reason}",
            "Leave out --device to use the processor; a GPU needs torch with CUDA, or onnxruntime-gpu.",
        ) from None
    return open_in_torch(content, portable, source, chosen)
