"""The optimisers of the paper as settings that build themselves."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

Schedule = Literal["constant", "cosine"]


class Adam(BaseModel):
    """Adam (Kingma & Ba 2015)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: Literal["adam"]
    learning_rate: float = Field(gt=0)
    beta1: float = Field(ge=0, lt=1)
    beta2: float = Field(ge=0, lt=1)
    schedule: Schedule = "constant"

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """A fused Adam over the parameters: same update, one pass over memory."""
        betas = (self.beta1, self.beta2)
        return DenseAdam(parameters, lr=self.learning_rate, betas=betas, fused=True)


class DenseAdam(torch.optim.Adam):
    """torch's fused Adam for weights of any layout, without copies of channels-last weights in every step.

    The fused kernel for processors walks through weights, gradients and averages side by side in memory: it
    copies what is not contiguous, and mixes up elements where the layouts differ.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores the averages, in the layout of their weights."""
        super().load_state_dict(state_dict)
        for parameter, averages in self.state.items():
            for name, value in averages.items():
                if value.shape == parameter.shape:
                    averages[name] = torch.empty_like(parameter, requires_grad=False).copy_(value)

    def _init_group(self, group: Any, *lists: list[Tensor]) -> bool:
        has_complex: bool = super()._init_group(group, *lists)  # type: ignore[no-untyped-call]
        parameters, gradients = lists[:2]
        turned = [_is_channels_last(parameter) for parameter in parameters]
        for tensors in lists:
            for place, tensor in enumerate(tensors):
                if turned[place] and tensor.dim() == 4:
                    tensors[place] = tensor.permute(0, 2, 3, 1)
        gradients[:] = [gradient.contiguous() for gradient in gradients]
        return has_complex


class RmsProp(BaseModel):
    """RMSProp (Tieleman & Hinton 2012), with TensorFlow's decay of 0.9, which the authors' code ran with."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: Literal["rmsprop"]
    learning_rate: float = Field(gt=0)
    decay: float = Field(default=0.9, ge=0, lt=1)
    schedule: Schedule = "constant"

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """An RMSProp over the parameters."""
        return torch.optim.RMSprop(parameters, lr=self.learning_rate, alpha=self.decay)


def _is_channels_last(tensor: Tensor) -> bool:
    return tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)


def rate_share(schedule: Schedule, step: int, steps: int) -> float:
    """The share of the learning rate that holds for the update after `step` of `steps` updates.

    `cosine` falls from 1 to 0 along half a cosine (Loshchilov & Hutter 2017, equation 5, without restarts).
    """
    match schedule:
        case "constant":
            return 1.0
        case "cosine":
            return (1 + math.cos(math.pi * step / steps)) / 2


OptimizerSettings = Annotated[Adam | RmsProp, Field(discriminator="name")]
