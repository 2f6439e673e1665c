"""The optimisers of the paper as settings that build themselves."""

import math
from collections.abc import Iterable
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

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
        return torch.optim.Adam(parameters, lr=self.learning_rate, betas=betas, fused=True)


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
