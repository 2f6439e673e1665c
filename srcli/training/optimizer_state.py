"""An optimiser's state as named tensors, as a checkpoint holds it beside the weights."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from srcli.optimizers import OptimizerSettings

Optimizers = Mapping[str, torch.optim.Optimizer]
"""By name, each with one group of parameters."""


def state_tensors(optimizers: Optimizers) -> dict[str, Tensor]:
    """What they keep for each parameter, named `<optimiser>.<parameter's index>.<name>`; empty at step 0."""
    return {
        f"{whose}.{index}.{name}": tensor.contiguous()
        for whose, optimizer in optimizers.items()
        for index, kept in optimizer.state_dict()["state"].items()
        for name, tensor in kept.items()
    }


def expected_tensors(optimizers: Optimizers, settings: OptimizerSettings) -> dict[str, Tensor]:
    """Tensors without memory, of the names and shapes that `state_tensors` gives after a step."""
    example = nn.Parameter(torch.zeros(1))
    example.grad = torch.zeros(1)
    twin = settings.build([example])
    twin.step()
    return {
        f"{whose}.{index}.{name}": torch.empty(() if kept.dim() == 0 else parameter.shape, device="meta")
        for whose, optimizer in optimizers.items()
        for index, parameter in enumerate(optimizer.param_groups[0]["params"])
        for name, kept in twin.state[example].items()
    }


def load_state_tensors(optimizers: Optimizers, tensors: Mapping[str, Tensor]) -> None:
    """Puts back what `state_tensors` gave, each tensor in the layout of its parameter.

    Another layout would change roundings, and `DenseAdam` relies on it. Settings stay as they are.
    """
    states: dict[str, dict[int, dict[str, Tensor]]] = {whose: {} for whose in optimizers}
    for key, tensor in tensors.items():
        whose, index, name = key.split(".", 2)
        parameter = optimizers[whose].param_groups[0]["params"][int(index)]
        if tensor.shape == parameter.shape:
            tensor = torch.empty_like(parameter, device="cpu", requires_grad=False).copy_(tensor)
        states[whose].setdefault(int(index), {})[name] = tensor
    for whose, optimizer in optimizers.items():
        optimizer.load_state_dict({**optimizer.state_dict(), "state": states[whose]})
