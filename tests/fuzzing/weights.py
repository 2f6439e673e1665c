"""Weight files and resume files: `generator.safetensors` and `resume.pt`."""

import hashlib
import io
import json
import pickle
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from tiny_experiments import small_dataset, small_experiment

from fuzzing.mutations import HUGE, INTERESTING, hostile_value, json_bytes, mutate_bytes, mutate_tree
from srcli.generators.on_torch import load_torch_generator
from srcli.runs.checkpoints import METADATA_KEY, RESUME_FILE
from srcli.runs.directory import RunDirectory
from srcli.storage.checksums import SUMS_FILE
from srcli.training.loop import training_batches
from srcli.training.state import build_state, restore_state, save_state
from srcli.training.step import train_step

GENERATORS = ("mlp", "dcgan", "resnet", "residual", "noise")
LARGEST_TENSOR = 10**9


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
        if generator.takes_noise:
            generator.sample(2, 0)
        else:
            generator.enlarge(np.zeros((1, 3, 16, 16), np.float32))


class ResumeFiles:
    """Damaged `resume.pt`: as bytes, inside its archive, and made of values that no optimiser saves."""

    name = "resume"

    def __init__(self) -> None:
        self._dataset = small_dataset(16, 4)

    def hostile(self, random: Random) -> Mapping[str, bytes]:
        run = _run_files()
        content = run[RESUME_FILE]
        change = random.random()
        if change < 0.35:
            content = mutate_bytes(content, random, [run["generator.safetensors"]])
        elif change < 0.6:
            content = _mutated_archive(content, random)
        else:
            content = _other_values(content, random)
        files = {**run, RESUME_FILE: content}
        # A stranger would make the checksums anew.
        sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
        files[SUMS_FILE] = sums.encode()
        return {f"run/checkpoints/step-000001/{name}": data for name, data in files.items()}

    def use(self, given: Path, _work: Path) -> None:
        experiment = _resumed_experiment()
        state = restore_state(RunDirectory(given / "run"), experiment, torch.device("cpu"))
        train_step(state, training_batches(state, self._dataset))


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


def _mutated_archive(content: bytes, random: Random) -> bytes:
    """A torch file with one of its zip records changed, with a valid checksum."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        names = old.namelist()
        pickled = next(name for name in names if name.endswith("data.pkl"))
        chosen = pickled if random.random() < 0.7 else random.choice(names)
        for name in names:
            data = old.read(name)
            if name == chosen:
                data = mutate_bytes(data, random)
            method = zipfile.ZIP_DEFLATED if random.random() < 0.05 else zipfile.ZIP_STORED
            if name != chosen or random.random() < 0.95:
                new.writestr(name, data, method)
    return buffer.getvalue()


def _other_values(content: bytes, random: Random) -> bytes:
    values = torch.load(io.BytesIO(content), weights_only=True)
    change = random.random()
    if change < 0.5:
        values = mutate_tree(values, random, random.choice((1, 3)))
    elif change < 0.75:
        optimizer = random.choice(list(values.values()))
        key = random.choice(list(optimizer["state"]))
        optimizer["state"][key][random.choice(list(optimizer["state"][key]))] = _other_tensor(random)
    elif change < 0.85:
        layers: Any = [0]
        for _ in range(random.choice((20, 60))):
            layers = [layers, layers]  # a "billion laughs" of references
        values[random.choice(list(values))]["param_groups"] = layers
    elif change < 0.9:
        loop: dict[str, Any] = {}
        loop["state"], loop["param_groups"] = loop, [loop]
        values[random.choice(list(values))] = loop
    else:
        values = hostile_value(random)
    buffer = io.BytesIO()
    try:
        torch.save(values, buffer)
    except (RecursionError, pickle.PicklingError):
        return b""
    return buffer.getvalue()


def _other_tensor(random: Random) -> Any:
    choices = (
        lambda: torch.zeros(random.choice(((), (1,), (3, 3), (0,), (1000, 1000)))),
        lambda: torch.zeros(1).expand(random.choice((10**6, LARGEST_TENSOR))),
        lambda: torch.zeros(
            3, dtype=random.choice((torch.int64, torch.bool, torch.complex64, torch.bfloat16))
        ),
        lambda: torch.full((32,), float("nan")),
        lambda: torch.zeros(10**6, device="meta"),
        lambda: torch.eye(3).to_sparse(),
        lambda: hostile_value(random),
    )
    return random.choice(choices)()
