"""Weights on disk: writing checkpoints, and reading them as files from strangers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import safetensors
import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from srcli.console import warn
from srcli.errors import CheckpointError
from srcli.experiment.schema import Experiment
from srcli.models.shapes import tensors_of
from srcli.runs.directory import RunDirectory
from srcli.storage.atomic import atomic_folder, remove_folder, write_bytes
from srcli.storage.bounded import require_ordinary
from srcli.storage.checksums import check_files, write_checksums

METADATA_KEY = "srcli"
MAX_HEADER_BYTES = 1_000_000
"""Ours have some kilobytes; a header of a hundred megabytes could fill the memory with tensors of no size."""
GENERATOR_FILE, EMA_FILE = "generator.safetensors", "generator_ema.safetensors"
CRITIC_FILE, RESUME_FILE = "critic.safetensors", "resume.safetensors"
Read = TypeVar("Read")
_KINDS = {torch.float32: "F32", torch.int64: "I64"}


class WeightsDescription(BaseModel):
    """What a weight file says of itself in its metadata."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = 1
    role: Literal["generator", "critic"]
    step: int = Field(ge=0, le=10**12)
    experiment: Experiment


def write_checkpoint(
    run: RunDirectory,
    experiment: Experiment,
    step: int,
    networks: Mapping[str, nn.Module],
    resume: Mapping[str, Tensor],
) -> Path:
    """Writes one checkpoint whole or not at all, then removes the oldest beyond `keep_checkpoints`.

    One of this step that is there and whole stays as it is.

    Args:
        networks: By file name.
        resume: What else continuing needs.
    """
    target = run.checkpoint(step)
    if not _is_whole(target, [*networks, RESUME_FILE]):
        with atomic_folder(target) as folder:
            for name, network in networks.items():
                write_weights(folder / name, network, experiment, step)
            write_bytes(folder / RESUME_FILE, safetensors.torch.save(dict(resume)))
            write_checksums(folder)
            if target.exists():
                remove_folder(target)
    steps = run.checkpoint_steps()
    kept = [old for old in steps if old <= step][-experiment.training.keep_checkpoints :]
    for old in steps:
        if old not in kept:  # later steps are those that were passed over as damaged
            remove_folder(run.checkpoint(old))
    return target


def newest_readable(run: RunDirectory, steps: Sequence[int], read: Callable[[Path], Read]) -> Read:
    """What `read` gives for the first of `steps` whose checkpoint it can read; warns of each one passed over.

    Raises:
        CheckpointError: It can read none.
    """
    reasons = []
    for step in steps:
        try:
            found = read(run.checkpoint(step))
        except CheckpointError as error:
            reasons.append(error.message)
        else:
            for reason in reasons:
                warn(f"{reason}; taking the checkpoint of step {step}")
            return found
    raise CheckpointError(
        f"none of the {len(steps)} checkpoints of {run.path} can be used: {reasons[0]}", "Start a new run."
    )


def write_weights(path: Path, network: nn.Module, experiment: Experiment, step: int) -> None:
    """Writes a network's weights as safetensors, its role (from the name), experiment and step."""
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    role: Literal["generator", "critic"] = "critic" if path.name == CRITIC_FILE else "generator"
    description = WeightsDescription(role=role, step=step, experiment=experiment)
    # One key only: safetensors writes several in an order that changes from process to process.
    write_bytes(path, safetensors.torch.save(tensors, {METADATA_KEY: description.model_dump_json()}))


def read_weights(path: Path) -> tuple[dict[str, Tensor], WeightsDescription]:
    """The tensors of a weight file of this project and what they are.

    Nothing is read before the tensors that the file declares are those of the network that it describes.

    Raises:
        CheckpointError: Missing, damaged, or of another program.
    """
    hint = "" if path.suffix == ".safetensors" else "Give a run, a checkpoint or a .safetensors file."
    with _opened(path, "cannot be read as weights", hint) as file:
        description = _description(path, file.metadata() or {})
        settings = getattr(description.experiment, description.role)
        if settings is None:
            raise CheckpointError(f"{path} does not fit its experiment, which has no {description.role}")
        wanted = tensors_of(settings, description.experiment.task)
        return _checked_tensors(path, file, wanted), description


def load_weights(network: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """Loads tensors into a network; all of its tensors must be there.

    Raises:
        CheckpointError: A name or a shape does not fit.
    """
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()[:300]
        raise CheckpointError(f"{source} does not fit its experiment: {reason}") from None


def read_resume(checkpoint: Path, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `write_checkpoint` was given as `resume`.

    Args:
        wanted: Tensors without memory, of the names and shapes that the file should hold.

    Raises:
        CheckpointError: Missing, damaged, or it holds other tensors.
    """
    path = checkpoint / RESUME_FILE
    with _opened(path, "is damaged") as file:
        return _checked_tensors(path, file, wanted)


@contextmanager
def _opened(path: Path, problem: str, hint: str = "") -> Iterator[Any]:
    """Opens a safetensors file; errors are told as `problem`, with their first line, or their kind."""
    try:
        require_ordinary(path)
        with path.open("rb") as start:
            length = int.from_bytes(start.read(8), "little")
        if length > MAX_HEADER_BYTES:
            raise ValueError(f"its header has more than {MAX_HEADER_BYTES:,} bytes")
        with safetensors.safe_open(path, framework="pt") as file:
            yield file
    except (OSError, safetensors.SafetensorError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:300]
        raise CheckpointError(f"{path} {problem}: {reason}", hint) from error


def _description(path: Path, metadata: Mapping[str, str]) -> WeightsDescription:
    if METADATA_KEY not in metadata:
        raise CheckpointError(f"{path} was not written by srcli: its metadata carry no experiment")
    try:
        return WeightsDescription.model_validate_json(metadata[METADATA_KEY])
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise CheckpointError(
            f"{path} describes itself wrongly: {where:.100}: {problem['msg']:.200}"
        ) from None


def _checked_tensors(path: Path, file: Any, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a file holds, after what it declares was compared with that before either takes any memory."""
    declared = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    different = sorted(declared.keys() ^ wanted.keys())
    if different:
        whose = "it lacks" if different[0] in wanted else "its experiment has no"
        raise CheckpointError(f"{path} does not fit its experiment: {whose} {different[0]:.100}")
    for name, tensor in wanted.items():
        shape, kind = declared[name].get_shape(), declared[name].get_dtype()
        if tuple(shape) != tuple(tensor.shape) or kind != _KINDS.get(tensor.dtype, kind):
            raise CheckpointError(
                f"{path} does not fit its experiment: {name:.100} is {kind} of shape {shape!s:.100}, not"
                f" {_KINDS.get(tensor.dtype)} of {list(tensor.shape)}"
            )
    return {name: file.get_tensor(name) for name in wanted}


def _is_whole(checkpoint: Path, names: Sequence[str]) -> bool:
    try:
        check_files(checkpoint, names)
    except CheckpointError:
        return False
    return True
