"""ONNX files of every kind of generator, which the tests of this folder share."""

from pathlib import Path

import pytest
import torch
from tiny_experiments import show, small_experiment

from srcli.data.task import PAPER
from srcli.generators import export as exporting
from srcli.generators.on_torch import load_torch_generator
from srcli.runs.checkpoints import write_weights

KINDS = ("residual", "compact", "resnet", "dcgan", "mlp", "noise")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weight file of random weights for every kind of generator, and its ONNX file beside it.

    Normalisation has seen inputs: with means of 0 and variances of 1, outputs hardly depend on the picture.
    """
    folder = tmp_path_factory.mktemp("exported")
    for seed, kind in enumerate(KINDS):
        torch.manual_seed(seed)
        experiment = small_experiment(generator=kind)
        network = experiment.generator.build(PAPER)
        with torch.no_grad():
            for parameter in network.parameters():  # the residual generator starts as bicubic enlargement
                parameter.add_(torch.randn_like(parameter), alpha=0.05)
        show(network, torch.randn(64, 128) if kind == "noise" else torch.rand(64, 3, 16, 16) * 2 - 1)
        write_weights(folder / f"{kind}.safetensors", network, experiment, 7)
        generator = load_torch_generator(folder / f"{kind}.safetensors")
        exporting.export(generator, folder / f"{kind}.onnx")
    return folder
