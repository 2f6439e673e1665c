"""Putting a saved state into an optimiser, after a look at whether it is one."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


def load_optimizer(optimizer: torch.optim.Optimizer, saved: Any) -> None:
    """Takes the learning rates and the tensors of a saved state over; all other settings stay.

    A file may hold anything: lists in each other's places, or in themselves. Nothing of it is copied, walked
    or handed on that is not exactly what this optimiser would have saved.

    Raises:
        ValueError: It is not the state of such an optimiser over such parameters.
    """
    own = optimizer.state_dict()
    groups, state = _part(saved, "param_groups", list), _part(saved, "state", dict)
    if len(groups) != len(own["param_groups"]):
        raise ValueError("it has another number of parameter groups")
    for group, other in zip(own["param_groups"], groups, strict=True):
        group["lr"] = _rate(_part(other, "lr", float))
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if len(state) not in (0, len(parameters)):
        raise ValueError(f"it holds {len(state)} of {len(parameters)} parameters")
    shared = _names(optimizer)
    own["state"] = {index: _tensors(state, index, parameters[index], shared) for index in range(len(state))}
    optimizer.load_state_dict(own)


def _names(optimizer: torch.optim.Optimizer) -> dict[str, bool]:
    """What such an optimiser keeps for each parameter, and whether that is one number for all of it."""
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    settings = {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}
    twin = type(optimizer)([{"params": [parameter], **settings}], settings["lr"])
    twin.step()
    return {name: tensor.dim() == 0 for name, tensor in twin.state[parameter].items()}


def _tensors(
    state: Mapping[Any, Any], index: int, parameter: Tensor, shared: Mapping[str, bool]
) -> dict[str, Tensor]:
    kept = _part(state, index, dict)
    tensors = {}
    for name, is_number in shared.items():
        tensor, shape = kept.get(name), torch.Size([]) if is_number else parameter.shape
        if not _is_plain(tensor) or tensor.shape != shape or tensor.dtype != torch.float32:
            raise ValueError(f"{name} of parameter {index} does not fit it")
        # The file stays mapped as long as tensors share its memory.
        tensors[name] = tensor.clone()
    return tensors


def _is_plain(value: Any) -> bool:
    return type(value) is Tensor and value.layout == torch.strided and value.device.type == "cpu"


def _part(values: Any, name: Any, kind: type) -> Any:
    part = values.get(name) if isinstance(values, dict) else None
    if type(part) is not kind:
        raise ValueError(f"it has no {name}")
    return part


def _rate(value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError("its learning rate is no rate")
    return value
