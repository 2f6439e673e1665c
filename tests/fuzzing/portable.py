"""ONNX files, as `srcli upscale --model` reads them."""

import json
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import onnx
from tiny_experiments import small_experiment

from fuzzing.mutations import HUGE, INTERESTING, json_bytes, mutate_bytes, mutate_tree
from srcli.data.task import PAPER
from srcli.generators import export as exporting
from srcli.generators.on_onnx import METADATA_KEY, load_portable
from srcli.generators.on_torch import load_torch_generator
from srcli.runs.checkpoints import write_weights


class PortableFiles:
    """Damaged ONNX files, and intact ones with wrong metadata or references to other files."""

    name = "onnx"

    def hostile(self, random: Random) -> Mapping[str, bytes]:
        originals = _onnx_files()
        content = random.choice(originals)
        change = random.random()
        if change < 0.5:
            return {"model.onnx": mutate_bytes(content, random, originals)}
        model = onnx.load_model_from_string(content)
        if change < 0.75:
            described = mutate_tree(json.loads(model.metadata_props[0].value), random)
            model.metadata_props[0].value = json_bytes(described).decode("utf-8", "replace")
        elif change < 0.85:
            _name_another_file(model.graph.initializer[0], random)
        else:
            weights = random.choice(model.graph.initializer)
            sizes = [random.choice((*INTERESTING, *HUGE)) % 2**62 for _ in range(random.randrange(5))]
            weights.dims[:] = sizes
        return {"model.onnx": model.SerializeToString()}

    def use(self, given: Path, _work: Path) -> None:
        generator = load_portable(given / "model.onnx")
        if generator.description.takes_noise:
            generator.sample(2, 0)
        else:
            generator.enlarge(np.zeros((1, 3, 16, 16), np.float32))


@cache
def _onnx_files() -> tuple[bytes, ...]:
    contents = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("residual", "noise"):
            experiment = small_experiment("gan", kind)
            weights = folder / f"{kind}.safetensors"
            write_weights(weights, experiment.generator.build(PAPER), experiment, 1)
            exporting.export(load_torch_generator(weights), folder / f"{kind}.onnx")
            contents.append((folder / f"{kind}.onnx").read_bytes())
    assert all(METADATA_KEY.encode() in content for content in contents)
    return tuple(contents)


def _name_another_file(weights: onnx.TensorProto, random: Random) -> None:
    size = len(weights.raw_data)
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    place = random.choice(
        ("/dev/zero", "/etc/passwd", "../model.onnx", "model.onnx", "\0", "https://example.org")
    )
    for key, value in (("location", place), ("offset", "0"), ("length", str(size))):
        weights.external_data.add(key=key, value=value)
