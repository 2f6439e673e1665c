"""The models that come with srcli, held to the SHA-256 they were released with."""

from pathlib import Path

from srcli.storage.checksums import read_released

BUNDLED = {
    "faces": "a152bf4c4fda7dcaa56689fc702b73fb514b12a4b0e3f6efe47b151621ae8a8b",
    "faces-faithful": "c7a39b15e9fa839c3c56605520891815ef602568523f57ab6aad98b38ce50b0f",
}
"""Names, and the SHA-256 of `weights/NAME.onnx`."""

DEFAULT = "faces"

GENTLER = {BUNDLED["faces"]: "faces-faithful"}
"""By the SHA-256 of a model, the one that makes less of JPEG blocks and noise than it does."""


def weights_folder() -> Path:
    """Where the weight files and their model cards lie."""
    return Path(__file__).parents[1] / "weights"


def read_bundled(name: str) -> bytes:
    """The content of a bundled model's file.

    Raises:
        CheckpointError: It is missing or not the file that was released.
    """
    return read_released(weights_folder() / f"{name}.onnx", BUNDLED[name])
