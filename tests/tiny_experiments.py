"""Small experiments and data, for tests that train for real in well under a second."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor, nn

from srcli.data.dataset import Dataset
from srcli.drawn_faces.faces import draw_faces
from srcli.experiment.mistakes import validate
from srcli.experiment.schema import Experiment
from srcli.experiment.yaml_text import read_document
from srcli.packing.pack import Packing, pack
from srcli.packing.sources import open_source
from srcli.runs.directory import RunDirectory
from srcli.runs.log import read_log
from srcli.storage.bounded import JsonObject

PRESETS = Path(__file__).parent.parent / "presets"

GENERATORS: dict[str, dict[str, Any]] = {
    "dcgan": {"architecture": "dcgan", "width": 8},
    "resnet": {"architecture": "resnet", "widths": [8, 8, 8]},
    "mlp": {"architecture": "mlp", "width": 32},
    "residual": {"architecture": "residual", "width": 8, "blocks": 2},
    "compact": {"architecture": "compact", "width": 8, "blocks": 2},
    "noise": {"architecture": "dcgan", "input": "noise", "width": 8},
}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "gan": {"name": "gan", "n_critic": 1},
    "wgan": {"name": "wgan", "n_critic": 2},
    "wgan-gp": {"name": "wgan-gp", "n_critic": 2},
    "pixel": {"name": "pixel"},
}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "gan": {"name": "adam", "learning_rate": 2e-4, "beta1": 0.5, "beta2": 0.999},
    "wgan": {"name": "rmsprop", "learning_rate": 1e-4},
    "wgan-gp": {"name": "adam", "learning_rate": 2e-4, "beta1": 0.5, "beta2": 0.9},
    "pixel": {"name": "adam", "learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.99, "schedule": "cosine"},
}


AUGMENTATION = {"horizontal_flip": True, "brightness": 0.05, "contrast": 0.05, "saturation": 0.05}


def small_experiment(
    objective: str = "wgan-gp", generator: str = "mlp", *, steps: int = 6, **training: Any
) -> Experiment:
    """An experiment like the paper's with narrow networks, batches of 4 and n_critic of 2."""
    critic: dict[str, Any] | None = {"architecture": "dcgan", "width": 8}
    if generator == "mlp":
        critic = {"architecture": "mlp", "width": 32}
    critic["normalization"] = "layer" if objective == "wgan-gp" else "batch"
    if objective == "pixel":
        critic = None
    settings = {
        "steps": steps,
        "batch_size": 4,
        "seed": 1,
        "ema_decay": 0.0,
        "sample_every": 3,
        "evaluate_every": 3,
        "evaluate_faces": 8,
        "checkpoint_every": 3,
        "keep_checkpoints": 2,
    }
    return Experiment.model_validate(
        {
            "name": f"small-{generator}-{objective}",
            "generator": GENERATORS[generator],
            "critic": critic,
            "objective": {**OBJECTIVES[objective], "gamma": 0.0 if generator == "noise" else 0.9},
            "optimizer": OPTIMIZERS[objective],
            "augmentation": AUGMENTATION,
            "training": {**settings, **training},
        }
    )


def parse_experiment(text: str, source: str) -> Experiment:
    """A complete experiment from YAML or JSON text."""
    document = read_document(text, source)
    return validate(Experiment, document.values, document)


def small_dataset(faces: int = 40, test: int = 10) -> Dataset:
    """Drawn faces, the last `test` of them in the test split."""
    indices = np.arange(faces)
    splits = {"train": indices[:-test], "validation": indices[:0], "test": indices[-test:]}
    return Dataset(draw_faces(faces, 7), splits, "small", "drawn for tests")


def show(network: nn.Module, inputs: Tensor) -> nn.Module:
    """The network in evaluation mode, with normalisation statistics of these inputs."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.momentum = None  # the mean of all batches seen, of which there is this one
    network.train()(inputs)
    return network.eval()


def pack_faces(folder: Path, faces: int = 24) -> Path:
    """Packs drawn faces, a tenth of them in the test split, into `folder/dataset`."""
    (folder / "pictures").mkdir()
    for number, face in enumerate(draw_faces(faces, 1)):
        Image.fromarray(face).save(folder / "pictures" / f"{number:02d}.png")
    packing = Packing("faces", 72, partition=None, holdout=8, max_skipped=0, workers=1)
    pack(open_source(folder / "pictures"), folder / "dataset", packing)
    return folder / "dataset"


def logged_without_clock(run: RunDirectory) -> list[JsonObject]:
    """A run's log without its timings."""
    clock = {"seconds", "images_per_second"}
    return [{key: entry[key] for key in entry if key not in clock} for entry in read_log(run.metrics_file)]
