"""Weight files and resume files: `generator.safetensors` and `resume.safetensors`."""

import hashlib
import json
import shutil
import struct
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from tiny_experiments import small_dataset, small_experiment

from fuzzing.mutations import HUGE, INTERESTING, json_bytes, mutate_bytes, mutate_tree
from srcli.generators.on_torch import load_torch_generator
from srcli.runs.checkpoints import METADATA_KEY, RESUME_FILE
from srcli.runs.directory import RunDirectory
from srcli.storage.checksums import SUMS_FILE
from srcli.training.loop import training_batches
from srcli.training.state import build_state, restore_state, save_state
from srcli.training.step import train_step

GENERATORS = ("mlp", "dcgan", "resnet", "residual", "noise")


class WeightFiles:
    """Damaged weight files, headers that declare more than the file, experiments that ask for more."""

    name = "weights"

    def hostile(self, random: Random) -> Mapping[str, bytes]:
        originals = _weight_files()
        content = random.choice(originals)
        if random.random() < 0.35:
            return {"model.safetensors": mutate_bytes(content, random, originals)}
        header, data = _split_weights(content)
        change = random.random()
        if change < 0.35:
            header = mutate_tree(header, random)
        elif change < 0.6:
            description = mutate_tree(json.loads(header["__metadata__"][METADATA_KEY]), random)
            header["__metadata__"][METADATA_KEY] = json_bytes(description).decode("utf-8", "replace")
        elif change < 0.85:
            _ask_for_more(header, random)
        else:
            _declare_other_tensors(header, random)
        text = json_bytes(header)
        length = len(text) if random.random() < 0.9 else random.choice(HUGE) % 2**64
        return {"model.safetensors": struct.pack("<Q", length) + text + data}

    def use(self, given: Path, _work: Path) -> None:
        generator = load_torch_generator(given / "model.safetensors")
        if generator.description.takes_noise:
            generator.sample(2, 0)
        else:
            generator.enlarge(np.zeros((1, 3, 16, 16), np.float32))


class ResumeFiles:
    """Damaged `resume.safetensors`: as bytes, and with headers that declare what no optimiser keeps."""

    name = "resume"

    def __init__(self) -> None:
        self._dataset = small_dataset(16, 4)

    def hostile(self, random: Random) -> Mapping[str, bytes]:
        run = _run_files()
        files = {**run, RESUME_FILE: _damaged_resume(run[RESUME_FILE], run["generator.safetensors"], random)}
        # A stranger would make the checksums anew.
        sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
        files[SUMS_FILE] = sums.encode()
        return {f"run/checkpoints/step-000001/{name}": data for name, data in files.items()}

    def use(self, given: Path, _work: Path) -> None:
        experiment = _resumed_experiment()
        state = restore_state(RunDirectory(given / "run"), experiment, torch.device("cpu"))
        train_step(state, training_batches(state, self._dataset))


def resume_file() -> bytes:
    """The resume file that the damaged ones are made from."""
    return _run_files()[RESUME_FILE]


def _damaged_resume(content: bytes, other: bytes, random: Random) -> bytes:
    if random.random() < 0.35:
        return mutate_bytes(content, random, [other])
    header, data = _split_weights(content)
    if random.random() < 0.5:
        header = mutate_tree(header, random)
    else:
        _declare_other_tensors(header, random)
    text = json_bytes(header)
    return struct.pack("<Q", len(text)) + text + data


@cache
def _weight_files() -> tuple[bytes, ...]:
    files = []
    for generator in GENERATORS:
        experiment = small_experiment("gan", generator)
        files.append(_checkpoint_files(experiment)["generator.safetensors"])
    return tuple(files)


@cache
def _resumed_experiment() -> Any:
    return small_experiment("wgan-gp", "mlp")


@cache
def _run_files() -> dict[str, bytes]:
    return _checkpoint_files(_resumed_experiment(), steps=1)


def _checkpoint_files(experiment: Any, steps: int = 0) -> dict[str, bytes]:
    state = build_state(experiment, torch.device("cpu"))
    batches = training_batches(state, small_dataset(16, 4))
    for _ in range(steps):
        train_step(state, batches)
    folder = Path(tempfile.mkdtemp())
    try:
        run = RunDirectory(folder)
        save_state(run, state)
        files = run.checkpoint(steps).iterdir()
        return {path.name: path.read_bytes() for path in files if path.name != SUMS_FILE}
    finally:
        shutil.rmtree(folder)


def _split_weights(content: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack_from("<Q", content)
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def _ask_for_more(header: dict[str, Any], random: Random) -> None:
    """Networks in the metadata that do not match the file's tensors."""
    description = json.loads(header["__metadata__"][METADATA_KEY])
    experiment = description["experiment"]
    network = experiment[random.choice(("generator", "generator", "critic"))]
    size = random.choice((64, 1000, 4096, 10**5, 10**9, 2**62, 10**30))
    for key in ("width", "blocks", "layers"):
        if key in network and random.random() < 0.7:
            network[key] = size
    if "widths" in network:
        network["widths"] = [size] * 3
    if random.random() < 0.3:
        experiment["training"]["init_from"] = random.choice(
            ("/dev/zero", "/etc/passwd", "https://example.org")
        )
    if random.random() < 0.3:
        experiment["generator"] = {"architecture": random.choice(("mlp", "dcgan", "residual", "resnet"))}
    header["__metadata__"][METADATA_KEY] = json.dumps(description)


def _declare_other_tensors(header: dict[str, Any], random: Random) -> None:
    names = [name for name in header if name != "__metadata__"]
    tensor = header[random.choice(names)]
    change = random.randrange(4)
    if change == 0:
        tensor["dtype"] = random.choice(("BF16", "F64", "I64", "BOOL", "U8", "F8_E4M3", "C64", "X"))
    elif change == 1:
        tensor["shape"] = [random.choice((*INTERESTING, *HUGE)) for _ in range(random.randrange(5))]
    elif change == 2:
        tensor["data_offsets"] = [random.choice((*INTERESTING, *HUGE)) for _ in range(2)]
    else:
        for number in range(random.choice((1, 1000, 30_000))):
            header[f"empty.{number}"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
