"""Turning a trained generator into an ONNX file, checked against the network it came from."""

import contextlib
import io
import math
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from srcli.errors import CheckpointError
from srcli.generators.on_onnx import INPUT, METADATA_KEY, OUTPUT, open_portable
from srcli.generators.on_torch import TorchGenerator
from srcli.storage.atomic import atomic_file

TOLERANCE = 1e-4
"""How far an exported network's outputs, in [-1, 1], may lie from torch's."""

HALF_TOLERANCE = 2 / 255
"""The same where weights are stored as 16-bit floats: one level of an 8-bit picture."""

# Smaller tensors, such as biases and sizes, stay as they are.
_SMALLEST_HALVED = 1024


def export(generator: TorchGenerator, path: Path, half: bool = False) -> float:
    """Writes a generator as one ONNX file that `on_onnx.load_portable` reads.

    Args:
        generator: On the CPU.
        half: Whether weights are stored as 16-bit floats; the arithmetic stays 32-bit.

    Returns:
        The file's largest difference from torch on random inputs of several sizes.

    Raises:
        CheckpointError: The difference is larger than `TOLERANCE`, or `HALF_TOLERANCE` for 16-bit weights.
    """
    model = _to_onnx(generator)
    model.metadata_props.add(key=METADATA_KEY, value=generator.description.model_dump_json(by_alias=True))
    content, difference = _checked(model, generator, TOLERANCE, path)
    if half:
        _store_as_half(model)
        content, difference = _checked(model, generator, HALF_TOLERANCE, path)
    with atomic_file(path) as file:
        file.write(content)
    return difference


def _to_onnx(generator: TorchGenerator) -> onnx.ModelProto:
    example = _random_inputs(generator, 2, 6)
    dynamic = torch.export.Dim.DYNAMIC
    takes_any_size = not generator.description.takes_noise and generator.description.input_size is None
    axes = {0: dynamic, 2: dynamic, 3: dynamic} if takes_any_size else {0: dynamic}
    # The exporter reports its progress on standard output and warns of its own internals.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            generator.network,
            (torch.from_numpy(example),),
            dynamo=True,
            dynamic_shapes=(axes,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    # The exporter's notes hold stack traces, which name the places of files on this machine.
    graph = model.graph
    for item in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        del item.metadata_props[:]
    del graph.value_info[:]
    for node in graph.node:
        node.doc_string = ""
    return model


def _store_as_half(model: onnx.ModelProto) -> None:
    """Stores large weights as 16-bit floats, each cast to 32 bits where it is used."""
    graph = model.graph
    casts = []
    for initializer in graph.initializer:
        weights = numpy_helper.to_array(initializer)
        if weights.dtype != np.float32 or weights.size < _SMALLEST_HALVED:
            continue
        name = initializer.name
        initializer.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _checked(
    model: onnx.ModelProto, generator: TorchGenerator, tolerance: float, path: Path
) -> tuple[bytes, float]:
    """The model as a file's content, and its largest difference from torch, if that is small enough."""
    content = model.SerializeToString(deterministic=True)
    portable = open_portable(content, str(path), "cpu")
    differences = []
    for batch, multiples in ((1, 4), (2, 6), (3, 10)):
        inputs = _random_inputs(generator, batch, multiples)
        differences.append(float(np.abs(portable.enlarge(inputs) - generator.enlarge(inputs)).max()))
    if not max(differences) <= tolerance:
        raise CheckpointError(
            f"{path} would differ from {generator.description.label} by {max(differences):.2g}, not written"
        )
    return content, max(differences)


def _random_inputs(generator: TorchGenerator, batch: int, multiples: int) -> NDArray[np.float32]:
    """Inputs the generator takes; pictures of any size are given some that are not square."""
    random, description = np.random.default_rng(batch), generator.description
    if description.noise_size is not None:
        return random.standard_normal((batch, description.noise_size), dtype=np.float32)
    side = math.lcm(4, description.size_multiple)
    height = description.input_size or side * multiples
    width = description.input_size or side * (multiples + 1)
    return random.uniform(-1, 1, (batch, 3, height, width)).astype(np.float32)
