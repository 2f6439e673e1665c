"""The tensors of a network, without building it."""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from srcli.data.task import Task
from srcli.models.layers import NetworkSettings

MAX_PARAMETERS = 250_000_000
"""Larger networks, a gigabyte of weights, are not built for training."""


def tensors_of(settings: NetworkSettings, task: Task) -> dict[str, Tensor]:
    """The parameters and buffers that a network would have, by name, without their memory."""
    with torch.device("meta"), _WithoutDraws():
        return settings.build(task).state_dict()


_DRAWS = ("normal_", "uniform_", "kaiming_uniform_", "xavier_normal_", "trunc_normal_")


class _WithoutDraws(TorchFunctionMode):
    """Skips the drawing of initial weights, which takes seconds even on the meta device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in _DRAWS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
