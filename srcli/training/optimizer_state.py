"""An optimiser's state as named tensors, as a checkpoint holds it beside the weights."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def state_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimiser keeps for each parameter, named `<parameter's index>.<name>`; empty at step 0."""
    return {
        f"{index}.{name}": tensor.contiguous()
        for index, parameter in enumerate(_parameters(optimizer))
        for name, tensor in optimizer.state.get(parameter, {}).items()
    }


def expected_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Tensors without memory, of the names and shapes that `state_tensors` gives after a step."""
    twin_parameter = nn.Parameter(torch.zeros(1))
    twin_parameter.grad = torch.zeros(1)
    settings = {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}
    twin = type(optimizer)([{"params": [twin_parameter], **settings}], settings["lr"])
    twin.step()
    return {
        f"{index}.{name}": torch.empty(() if kept.dim() == 0 else parameter.shape, device="meta")
        for index, parameter in enumerate(_parameters(optimizer))
        for name, kept in twin.state[twin_parameter].items()
    }


def load_state_tensors(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Puts back what `state_tensors` gave, each tensor in the layout of its parameter.

    Another layout would change roundings, and `DenseAdam` relies on it. Settings stay as they are.
    """
    parameters = _parameters(optimizer)
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:
            tensor = torch.empty_like(parameter, device="cpu", requires_grad=False).copy_(tensor)
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
