"""Networks of ONNX files rebuilt in torch, for devices that onnxruntime cannot use."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from pydantic import ValidationError
from torch import Tensor, nn

from srcli.errors import CheckpointError
from srcli.experiment.schema import Experiment
from srcli.generators.agreement import EXACT, ONE_LEVEL, SEVERAL_SIZES, largest_difference
from srcli.generators.on_onnx import PortableGenerator
from srcli.generators.on_torch import TorchGenerator
from srcli.models.shapes import tensors_of
from srcli.runs.checkpoints import load_weights

_WEIGHTED = ("Conv", "ConvTranspose", "Gemm")
_NORMALISED = ("weight", "bias", "running_mean", "running_var")
_HINT = "Give the run or the .safetensors file that it was exported from, or leave out --device."


def open_in_torch(
    content: bytes, portable: PortableGenerator, source: str, device: torch.device
) -> TorchGenerator:
    """The generator of an ONNX file as a torch network with the file's weights.

    Args:
        content: Of the file.
        portable: The same file in onnxruntime, which the network is held to.
        source: How errors call the file.

    Raises:
        CheckpointError: The file is not what its description says, or torch's outputs are not
            onnxruntime's: within `EXACT` on the processor, `ONE_LEVEL` on the device.
    """
    network = _network(content, portable, source)
    generator = TorchGenerator(portable.description, network.eval())
    _check(generator, portable, EXACT, f"{source} in torch")
    if device.type != "cpu":
        generator = TorchGenerator(portable.description, network.to(device))
        _check(generator, portable, ONE_LEVEL, f"{source} in torch on {device}")
    return generator


def _check(generator: TorchGenerator, portable: PortableGenerator, tolerance: float, what: str) -> None:
    difference = largest_difference(portable, generator, SEVERAL_SIZES[:1])
    if not difference <= tolerance:
        raise CheckpointError(f"{what} gives other pictures, by up to {difference:.2g} of [-1, 1]", _HINT)


def _network(content: bytes, portable: PortableGenerator, source: str) -> nn.Module:
    try:
        experiment = Experiment.model_validate(portable.description.experiment)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise CheckpointError(f"{source}: its experiment: {where}: {problem['msg']:.200}", _HINT) from None
    # Compared before the network takes any memory.
    wanted = tensors_of(experiment.generator, experiment.task)
    tensors = _fitted(_stored(onnx.load_model_from_string(content)), wanted, source)
    network = experiment.generator.build(experiment.task)
    load_weights(network, tensors, Path(source))
    return network


def _stored(model: onnx.ModelProto) -> dict[str, NDArray[np.float32]]:
    """The weights in a file, by their names in the network."""
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    halved = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Cast"}
    names = {name: name for name in [*initializers, *halved]} | dict(_renamed(model.graph))
    tensors = {name: initializers.get(halved.get(stored, stored)) for name, stored in names.items()}
    return {
        name: numpy_helper.to_array(tensor).astype(np.float32) for name, tensor in tensors.items() if tensor
    }


def _renamed(graph: onnx.GraphProto) -> Iterator[tuple[str, str]]:
    """Pairs of names, the network's and the file's, of tensors that the exporter may have renamed.

    A bias is renamed when batch normalisation is folded into its layer; equal tensors are stored once.
    """
    for node in graph.node:
        if node.op_type in _WEIGHTED and len(node.input) == 3:
            yield f"{node.input[1].removesuffix('.weight')}.bias", node.input[2]
        if node.op_type == "BatchNormalization":
            layer = node.input[3].removesuffix(".running_mean")
            for name, stored in zip(_NORMALISED, node.input[1:], strict=True):
                yield f"{layer}.{name}", stored


def _fitted(
    stored: Mapping[str, NDArray[np.float32]], wanted: Mapping[str, Tensor], source: str
) -> dict[str, Tensor]:
    """A network's tensors, from a file that lacks those without effect."""
    tensors = {}
    for name, tensor in wanted.items():
        if name not in stored and tensor.ndim < 2:
            tensors[name] = _without_effect(name, tensor)
        elif name not in stored or stored[name].shape != tensor.shape:
            problem = f"should be of shape {list(tensor.shape)}" if name in stored else "is missing"
            raise CheckpointError(f"{source} does not fit its experiment: {name:.100} {problem}", _HINT)
        else:
            tensors[name] = torch.from_numpy(stored[name])
    return tensors


def _without_effect(name: str, like: Tensor) -> Tensor:
    """What the exporter leaves out: biases of 0, and batch normalisation folded into the layer before."""
    if name.endswith(".running_var"):  # normalisation adds its epsilon
        return torch.full(like.shape, 1 - nn.BatchNorm2d(1).eps)
    return torch.full(like.shape, float(name.endswith(".weight")), dtype=like.dtype)
