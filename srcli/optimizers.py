"""The optimisers of the paper as settings that build themselves."""

import math
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn


class Scheduled(BaseModel):
    """What every optimiser has: a learning rate, and how it changes over a run."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "cosine", "halving"] = "constant"
    half_life: int | None = Field(default=None, ge=1, le=10**12, description="steps until the rate is halved")

    @model_validator(mode="after")
    def _check_half_life(self) -> Self:
        if (self.half_life is not None) != (self.schedule == "halving"):
            raise ValueError("half_life belongs to schedule: halving, which needs one")
        return self

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of the update after `step` of `steps` updates.

        `cosine` falls to 0 along half a cosine (Loshchilov & Hutter 2017, equation 5, without restarts);
        `halving` halves the rate every `half_life` steps, as srez does.
        """
        match self.schedule:
            case "constant":
                return self.learning_rate
            case "cosine":
                return self.learning_rate * ((1 + math.cos(math.pi * step / steps)) / 2)
            case "halving":
                assert self.half_life is not None
                return self.learning_rate * 0.5 ** (step // self.half_life)


class Adam(Scheduled):
    """Adam (Kingma & Ba 2015)."""

    name: Literal["adam"]
    beta1: float = Field(ge=0, lt=1)
    beta2: float = Field(ge=0, lt=1)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """A fused Adam over the parameters: same update, one pass over memory."""
        return DenseAdam(parameters, lr=self.learning_rate, betas=(self.beta1, self.beta2), fused=True)


class DenseAdam(torch.optim.Adam):
    """torch's fused Adam for weights of any layout, without copies of channels-last weights in every step.

    The fused kernel for processors walks through weights, gradients and averages side by side in memory: it
    copies what is not contiguous, and mixes up elements where layouts differ. Averages start in the layout
    of their weights, and `training.optimizer_state` restores them in it.
    """

    def _init_group(self, group: Any, *lists: list[Tensor]) -> bool:
        has_complex: bool = super()._init_group(group, *lists)  # type: ignore[no-untyped-call]
        parameters, gradients = lists[:2]
        turned = [p.dim() == 4 and p.is_contiguous(memory_format=torch.channels_last) for p in parameters]
        for tensors in lists:
            for place, tensor in enumerate(tensors):
                if turned[place] and tensor.dim() == 4:
                    tensors[place] = tensor.permute(0, 2, 3, 1)
        gradients[:] = [gradient.contiguous() for gradient in gradients]
        return has_complex


class RmsProp(Scheduled):
    """RMSProp (Tieleman & Hinton 2012), with TensorFlow's decay of 0.9, which the authors' code ran with.

    TensorFlow 1 adds epsilon (1e-10) under the root and starts the average of squares at 1, so that its first
    steps are small; torch adds epsilon (1e-8) to the root and starts the average at 0.
    """

    name: Literal["rmsprop"]
    decay: float = Field(default=0.9, ge=0, lt=1)
    epsilon: float = Field(default=1e-8, gt=0)
    epsilon_inside: bool = Field(default=False, description="whether epsilon is added under the root")
    initial_average: float = Field(default=0.0, ge=0, description="of the squared gradients, at the start")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """An RMSProp over the parameters."""
        if not self.epsilon_inside and self.initial_average == 0:
            return torch.optim.RMSprop(parameters, self.learning_rate, self.decay, self.epsilon)
        own = self.model_dump(include={"decay", "epsilon", "epsilon_inside", "initial_average"})
        return GeneralRmsProp(parameters, {"lr": self.learning_rate, **own})


class GeneralRmsProp(torch.optim.Optimizer):
    """RMSProp with the settings of `RmsProp`, and `lr`, as defaults; `a` is the average of squares.

    `a <- decay a + (1 - decay) g^2`, then `w <- w - lr g / sqrt(a + epsilon)`, as TensorFlow 1's
    `RMSPropOptimizer` without momentum, or `w <- w - lr g / (sqrt(a) + epsilon)`.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Updates every parameter that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._update(group, weights, [weight.grad for weight in weights])

    def _update(self, group: dict[str, Any], weights: list[Tensor], gradients: list[Tensor]) -> None:
        averages = [self._average(weight, group["initial_average"]) for weight in weights]
        torch._foreach_mul_(averages, group["decay"])
        torch._foreach_addcmul_(averages, gradients, gradients, 1 - group["decay"])
        if group["epsilon_inside"]:
            roots = torch._foreach_sqrt(torch._foreach_add(averages, group["epsilon"]))
        else:
            roots = torch._foreach_add(torch._foreach_sqrt(averages), group["epsilon"])
        torch._foreach_addcdiv_(weights, gradients, roots, -group["lr"])

    def _average(self, weight: Tensor, initial: float) -> Tensor:
        state = self.state[weight]
        if "square_avg" not in state:
            state["square_avg"] = torch.full_like(weight, initial, requires_grad=False)
        average: Tensor = state["square_avg"]
        return average


OptimizerSettings = Annotated[Adam | RmsProp, Field(discriminator="name")]
