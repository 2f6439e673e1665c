"""Generators as ONNX files, which run without torch and say of themselves what a caller must know."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from srcli.errors import CheckpointError, UserError
from srcli.storage.bounded import require_ordinary

if TYPE_CHECKING:
    import onnxruntime

METADATA_KEY = "srcli"
INPUT, OUTPUT = "low_res", "high_res"

SAMPLES_AT_ONCE = 64

CPU_PROVIDER, CUDA_PROVIDER = "CPUExecutionProvider", "CUDAExecutionProvider"
Provider = str | tuple[str, dict[str, int]]
"""An execution provider's name, with its options where it has some."""

# As onnxruntime numbers its messages: errors come to us as exceptions anyhow.
_FATAL_ONLY = 4
_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"


class PortableDescription(BaseModel):
    """What an ONNX file of this project says of itself in its metadata.

    Attributes:
        experiment: The whole experiment that trained it, as its YAML holds it.
        noise_size: Length of the noise vectors it draws faces from; None for one that enlarges.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=100)
    step: int = Field(ge=0)
    scale: int = Field(ge=1, le=16)
    noise_size: int | None = Field(ge=1, le=65536)
    input_size: int | None = Field(ge=1, le=4096)
    size_multiple: int = Field(ge=1, le=256)
    margin: int = Field(ge=0, le=4096)
    experiment: dict[str, Any]

    @field_validator("experiment")
    @classmethod
    def _read_old_critic(cls, experiment: dict[str, Any]) -> dict[str, Any]:
        """The bundled faces-faithful.onnx says `{architecture: none}` for what is null now."""
        without = experiment.get("critic") == {"architecture": "none"}
        return {**experiment, "critic": None} if without else experiment


@dataclass(frozen=True)
class PortableGenerator:
    """A generator that runs in ONNX Runtime; `torch_generator.TorchGenerator` explains the attributes."""

    session: "onnxruntime.InferenceSession"
    description: PortableDescription
    sha256: str

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def step(self) -> int:
        return self.description.step

    @property
    def label(self) -> str:
        return f"{self.name}, step {self.step}"

    @property
    def scale(self) -> int:
        return self.description.scale

    @property
    def takes_noise(self) -> bool:
        return self.description.noise_size is not None

    @property
    def input_size(self) -> int | None:
        return self.description.input_size

    @property
    def size_multiple(self) -> int:
        return self.description.size_multiple

    @property
    def margin(self) -> int:
        return self.description.margin

    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        """Enlarges pictures (B, 3, h, w) in [-1, 1] to (B, 3, 4h, 4w)."""
        return self._run(low_res)

    def sample(self, count: int, seed: int) -> NDArray[np.float32]:
        """Draws `count` faces (count, 3, 64, 64) in [-1, 1] from `standard_noise`."""
        size = self.description.noise_size
        assert size is not None
        noise = standard_noise(count, size, seed)
        parts = range(0, count, SAMPLES_AT_ONCE)
        return np.concatenate([self._run(noise[start : start + SAMPLES_AT_ONCE]) for start in parts])

    def _run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            outputs: NDArray[np.float32] = self.session.run([OUTPUT], {INPUT: inputs})[0]
        except Exception as error:  # onnxruntime has a type of its own for each status, none for memory
            if "alloc" in str(error):
                raise MemoryError(str(error)) from error
            raise CheckpointError(f"the model ({self.label}) cannot be run: {_first_line(error)}") from error
        return outputs


def standard_noise(count: int, size: int, seed: int) -> NDArray[np.float32]:
    """Standard normal noise (count, size) that a generator from noise draws its samples from."""
    return np.random.default_rng(seed).standard_normal((count, size), dtype=np.float32)


def load_portable(path: Path, device: str = "auto") -> PortableGenerator:
    """Reads an ONNX file that `srcli export` wrote.

    Args:
        device: `auto` and `cpu` for the processor, `cuda` or `cuda:1` for a GPU if onnxruntime can use one.

    Raises:
        CheckpointError: Missing, damaged, not of this project, or with weights in other files.
        UserError: The device cannot be used.
    """
    try:
        require_ordinary(path)
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    return open_portable(content, str(path), device)


def open_portable(content: bytes, source: str, device: str) -> PortableGenerator:
    """As `load_portable`, from a file's content; `source` is how errors call it."""
    import onnxruntime

    providers = execution_providers(device, onnxruntime.get_available_providers())
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    try:
        # A stranger's model may name other files as its weights; below a file, there are none.
        options.add_session_config_entry(_WEIGHTS_FOLDER, f"{__file__}/nothing")
        session = onnxruntime.InferenceSession(content, options, providers=providers)
        metadata = session.get_modelmeta().custom_metadata_map
    except Exception as error:  # whatever is wrong with a damaged file, as onnxruntime calls it
        raise CheckpointError(f"{source} cannot be read as a model: {_first_line(error)}") from error
    description = _describe(metadata, source)
    if [node.name for node in session.get_inputs()] != [INPUT] or OUTPUT not in {
        node.name for node in session.get_outputs()
    }:
        raise CheckpointError(f"{source} should take {INPUT} and give {OUTPUT}")
    return PortableGenerator(session, description, hashlib.sha256(content).hexdigest())


def _describe(metadata: dict[str, str], source: str) -> PortableDescription:
    if METADATA_KEY not in metadata:
        raise CheckpointError(
            f"{source} was not written by srcli: it does not describe itself", "See `srcli export`."
        )
    try:
        return PortableDescription.model_validate(json.loads(metadata[METADATA_KEY]))
    except (ValidationError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{source} describes itself wrongly: {_first_line(error)}") from None


def execution_providers(device: str, available: Sequence[str]) -> list[Provider]:
    """The execution providers for a device, in the order in which onnxruntime is to prefer them.

    Args:
        available: The names of those that this onnxruntime has.

    Raises:
        UserError: It has none for the device.
    """
    if device in ("auto", "cpu"):
        return [CPU_PROVIDER]
    number = re.fullmatch(r"cuda(?::(\d{1,4}))?", device)
    if number and CUDA_PROVIDER in available:
        return [(CUDA_PROVIDER, {"device_id": int(number[1] or 0)}), CPU_PROVIDER]
    raise UserError(
        f"--device {device} cannot be used: this onnxruntime has no provider for it",
        "ONNX models run on the processor; for a GPU give a run or a .safetensors file.",
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
