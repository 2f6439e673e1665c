"""Turning a trained generator into an ONNX file, checked against the network it came from."""

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from srcli.errors import CheckpointError
from srcli.generators.agreement import EXACT, ONE_LEVEL, largest_difference, random_inputs
from srcli.generators.on_onnx import INPUT, METADATA_KEY, OUTPUT, open_portable
from srcli.generators.on_torch import TorchGenerator
from srcli.storage.atomic import atomic_file

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
        CheckpointError: The difference is larger than `EXACT`, or `ONE_LEVEL` for 16-bit weights.
    """
    model = _to_onnx(generator)
    model.metadata_props.add(key=METADATA_KEY, value=generator.description.model_dump_json(by_alias=True))
    content, difference = _checked(model, generator, EXACT, path)
    if half:
        _store_as_half(model)
        content, difference = _checked(model, generator, ONE_LEVEL, path)
    with atomic_file(path) as file:
        file.write(content)
    return difference


def _to_onnx(generator: TorchGenerator) -> onnx.ModelProto:
    example = random_inputs(generator.description, 2, 6)
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
    difference = largest_difference(open_portable(content, str(path)), generator)
    if not difference <= tolerance:
        raise CheckpointError(
            f"{path} would differ from {generator.description.label} by {difference:.2g}, not written"
        )
    return content, difference
