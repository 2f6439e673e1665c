"""Generators as ONNX files, which run without torch and describe themselves."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from srcli.errors import CheckpointError
from srcli.generators.description import Description, Generator
from srcli.storage.bounded import require_ordinary

if TYPE_CHECKING:
    import onnxruntime

METADATA_KEY = "srcli"
INPUT, OUTPUT = "low_res", "high_res"

CPU_PROVIDER, CUDA_PROVIDER = "CPUExecutionProvider", "CUDAExecutionProvider"
Provider = str | tuple[str, dict[str, int]]
"""An execution provider's name, with its options where it has some."""

# As onnxruntime numbers its messages: errors come to us as exceptions anyhow.
_FATAL_ONLY = 4
_SHRINKAGE = "memory.enable_memory_arena_shrinkage"
_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"


@dataclass(frozen=True)
class PortableGenerator(Generator):
    """A generator that runs in ONNX Runtime."""

    session: "onnxruntime.InferenceSession"

    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `Generator.enlarge`."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        # What a large tile needed is given back before its pixels are rounded and written.
        options.add_run_config_entry(_SHRINKAGE, "cpu:0")
        try:
            outputs: NDArray[np.float32] = self.session.run([OUTPUT], {INPUT: low_res}, options)[0]
        except Exception as error:  # onnxruntime has a type of its own for each status, none for memory
            if "alloc" in str(error):
                raise MemoryError(str(error)) from error
            label = self.description.label
            raise CheckpointError(f"the model ({label}) cannot be run: {_first_line(error)}") from error
        return outputs


def load_portable(path: Path) -> PortableGenerator:
    """Reads an ONNX file that `srcli export` wrote, to run on the processor.

    Raises:
        CheckpointError: Missing, damaged, not of this project, or with weights in other files.
    """
    return open_portable(read_portable(path), str(path))


def read_portable(path: Path) -> bytes:
    """The content of an ONNX file.

    Raises:
        CheckpointError: It cannot be read.
    """
    try:
        require_ordinary(path)
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error


def open_portable(content: bytes, source: str) -> PortableGenerator:
    """As `load_portable`, from a file's content; `source` is how errors call it."""
    try:
        session = _start(content, [CPU_PROVIDER])
        metadata = session.get_modelmeta().custom_metadata_map
    except Exception as error:  # whatever is wrong with a damaged file, as onnxruntime calls it
        raise CheckpointError(f"{source} cannot be read as a model: {_first_line(error)}") from error
    description = _describe(metadata, source, hashlib.sha256(content).hexdigest())
    outputs = [node.name for node in session.get_outputs()]
    if [node.name for node in session.get_inputs()] != [INPUT] or OUTPUT not in outputs:
        raise CheckpointError(f"{source} should take {INPUT} and give {OUTPUT}")
    return PortableGenerator(description, session)


def _describe(metadata: dict[str, str], source: str, sha256: str) -> Description:
    if METADATA_KEY not in metadata:
        what = f"{source} was not written by srcli: it does not describe itself"
        raise CheckpointError(what, "See `srcli export`.")
    try:
        described = Description.model_validate_json(metadata[METADATA_KEY])
    except ValidationError as error:
        raise CheckpointError(f"{source} describes itself wrongly: {_first_line(error)}") from None
    return described.model_copy(update={"sha256": sha256})


def open_on_gpu(content: bytes, portable: PortableGenerator, provider: Provider) -> PortableGenerator | None:
    """The same generator, from its file's content, run by a GPU's provider; None if that does not start."""
    try:
        session = _start(content, [provider, CPU_PROVIDER])
    except Exception:  # no driver, no such GPU, another version of CUDA: onnxruntime has no type for them
        return None
    # Where its libraries are missing, onnxruntime leaves a provider out without an error.
    started = CUDA_PROVIDER in session.get_providers()
    return PortableGenerator(portable.description, session) if started else None


def gpu_provider(device: str, available: Sequence[str]) -> Provider | None:
    """The execution provider for a GPU, `cuda` or `cuda:1`; None if there is none for the device.

    Args:
        available: The names of those that this onnxruntime has.
    """
    number = re.fullmatch(r"cuda(?::(\d{1,4}))?", device)
    if number and CUDA_PROVIDER in available:
        return CUDA_PROVIDER, {"device_id": int(number[1] or 0)}
    return None


def _start(content: bytes, providers: Sequence[Provider]) -> "onnxruntime.InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    # Plans of memory, one for each size of input, reserve up to twice what a large tile needs.
    options.enable_mem_pattern = False
    # A stranger's model may name other files as its weights; below a file, there are none.
    options.add_session_config_entry(_WEIGHTS_FOLDER, f"{__file__}/nothing")
    # Its own fallback to the processor prints on standard output.
    return onnxruntime.InferenceSession(content, options, providers=providers, enable_fallback=False)


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
