"""Converts the three networks of MTCNN from PyTorch to ONNX: `srcli/weights/mtcnn-*.onnx`.

    python docs/make_detector.py FOLDER

FOLDER has the weight files pnet.pt, rnet.pt and onet.pt of the package facenet-pytorch 2.6.0
(`facenet_pytorch/data`), which hold the weights published with Zhang et al., *Joint Face Detection and
Alignment Using Multitask Cascaded Convolutional Networks*, 2016. The layers are those of its figure 2.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

WEIGHTS = Path(__file__).parents[1] / "srcli" / "weights"


class Cascade(nn.Module):
    """One of the three networks: convolutions, then a classifier and a box regression on what they give."""

    def __init__(self, features: nn.Sequential, score: nn.Module, box: nn.Module) -> None:
        super().__init__()
        self.features, self.score, self.box = features, score, box

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, h, w) to the probability of a face (B, ...) and the change of its box (B, 4, ...)."""
        features = self.features(pixels)
        return self.score(features).softmax(1)[:, 1], self.box(features)


class Columns(nn.Module):
    """(B, C, H, W) to (B, W H C): the order in which the published weights expect the features."""

    def forward(self, features: Tensor) -> Tensor:
        return features.permute(0, 3, 2, 1).flatten(1)


def convolution(before: int, after: int, size: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, size), nn.PReLU(after)]


def pool(size: int) -> nn.Module:
    return nn.MaxPool2d(size, 2, ceil_mode=True)


def networks() -> dict[str, Cascade]:
    """The networks, without weights, in the order in which the weight files name their layers."""
    proposal = [*convolution(3, 10, 3), pool(2), *convolution(10, 16, 3), *convolution(16, 32, 3)]
    refinement = [*convolution(3, 28, 3), pool(3), *convolution(28, 48, 3), pool(3), *convolution(48, 64, 2)]
    refinement += [Columns(), nn.Linear(576, 128), nn.PReLU(128)]
    output = [
        *convolution(3, 32, 3),
        pool(3),
        *convolution(32, 64, 3),
        pool(3),
        *convolution(64, 64, 3),
        pool(2),
    ]
    output += [*convolution(64, 128, 2), Columns(), nn.Linear(1152, 256), nn.PReLU(256)]
    return {
        "pnet": Cascade(nn.Sequential(*proposal), nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)),
        "rnet": Cascade(nn.Sequential(*refinement), nn.Linear(128, 2), nn.Linear(128, 4)),
        "onet": Cascade(nn.Sequential(*output), nn.Linear(256, 2), nn.Linear(256, 4)),
    }


def fill(network: Cascade, weights: Mapping[str, Tensor]) -> None:
    """Puts a weight file's tensors into a network; both list them in the order of the layers."""
    names = list(network.state_dict())
    tensors = [tensor for name, tensor in weights.items() if not name.startswith("dense6_3")]  # landmarks
    network.load_state_dict(dict(zip(names, tensors, strict=True)))


def convert(network: Cascade, side: int, path: Path) -> None:
    """Writes a network as ONNX; the first takes pictures of any size, the others squares of `side` pixels."""
    shape: dict[int, object] = {0: torch.export.Dim.DYNAMIC}
    if side == 12:
        shape |= {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
        side = 40
    program = torch.onnx.export(
        network.eval(),
        (torch.zeros(2, 3, side, side + (side == 40)),),
        input_names=["pixels"],
        output_names=["scores", "boxes"],
        dynamic_shapes=(shape,),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.metadata_props[:]
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    onnx.save(model, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for (name, network), side in zip(networks().items(), (12, 24, 48), strict=True):
        fill(network, torch.load(folder / f"{name}.pt", weights_only=True))
        convert(network, side, WEIGHTS / f"mtcnn-{name}.onnx")


if __name__ == "__main__":
    main()
