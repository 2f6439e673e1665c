"""What the networks share: activations, normalisation, initialisation, scores."""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from srcli.data.task import Task
from srcli.models.kernels.sample_norm import SampleNorm
from srcli.models.kernels.vjp import has_vjp, run_with_vjp

Activation = Literal["relu", "leaky_relu", "tanh"]
Normalization = Literal["batch", "layer", "none"]

Width = Annotated[int, Field(ge=1, le=4096)]
"""Channels, or values of a linear layer."""
Depth = Annotated[int, Field(ge=1, le=256)]


def activation(name: Activation) -> nn.Module:
    """The activation of that name; leaky ReLU has a slope of 0.2, as in the authors' code."""
    return {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(0.2), "tanh": nn.Tanh()}[name]


def normalization(name: Normalization, channels: int, *, spatial: bool = True) -> nn.Module:
    """The normalisation of that name over `channels`.

    `layer` normalises each sample over (C, H, W) with a scale and an offset per channel, as the authors'
    layer norm does: `GroupNorm(1, C)`. It leaves no dependence between samples, which the gradient penalty
    of WGAN-GP presumes (Gulrajani et al. 2017, section 4).

    Args:
        spatial: True for (B, C, H, W), False for (B, C).
    """
    match name:
        case "batch":
            return nn.BatchNorm2d(channels) if spatial else nn.BatchNorm1d(channels)
        case "layer":
            return SampleNorm(channels)
        case "none":
            return nn.Identity()


def finish(
    kind: Normalization, function: Activation, channels: int, *, spatial: bool = True
) -> list[nn.Module]:
    """What follows a layer of so many channels: `normalization`, then `activation`."""
    return [normalization(kind, channels, spatial=spatial), activation(function)]


def initialize_normal(network: nn.Module) -> None:
    """Draws all weights of convolutions and linear layers from N(0, 0.02) and sets biases to 0 (DCGAN)."""
    _initialize(network, lambda weight: nn.init.normal_(weight, 0.0, 0.02))


def initialize_he(network: nn.Module) -> None:
    """Draws all weights of convolutions and linear layers as He et al. 2015 do for ReLU; biases are 0."""
    _initialize(network, lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"))


def initialize_srez(layer: nn.Module, factor: float) -> None:
    """Draws the weights of the convolutions in a layer as srez does; biases are 0.

    A normal distribution cut off at two deviations of `sqrt(factor / (sqrt(inputs outputs) kernel^2))`.
    """

    def draw(weight: Tensor) -> None:
        outputs, inputs, *kernel = weight.shape
        std = math.sqrt(factor / (math.sqrt(inputs * outputs) * math.prod(kernel)))
        nn.init.trunc_normal_(weight, 0.0, std, -2 * std, 2 * std)

    _initialize(layer, draw)


class NetworkSettings(BaseModel):
    """What an experiment says of one of its networks; an architecture is a subclass."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @abstractmethod
    def build(self, task: Task) -> nn.Module:
        """The network for a task, initialised."""

    def mistakes(self, _task: Task) -> list[str]:
        """Why there is no such network for a task, as `setting: reason`; nothing where there is."""
        return []


def doubling_mistakes(task: Task) -> list[str]:
    """What a network that enlarges by doubling says of a task."""
    if task.scale.bit_count() == 1:
        return []
    return [f"architecture: it enlarges by doubling; task.scale should be 2, 4, 8 or 16, not {task.scale}"]


def halving_mistakes(task: Task) -> list[str]:
    """What a network between labels and maps of 4 to 7 pixels says of a task."""
    if task.label_size % 2**task.halvings == 0:
        return []
    what = f"architecture: it halves labels {task.halvings} times; task.label_size should be a multiple of"
    return [f"{what} {2**task.halvings}, not {task.label_size}"]


class Flatten(nn.Flatten):
    """`nn.Flatten` of pictures whose gradient is channels-last again, as all that comes before is."""

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C H W)."""
        flat: Tensor = FlattenPictures.apply(features)
        return flat


class FlattenPictures(torch.autograd.Function):
    """`x.flatten(1)`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.shape = x.shape
        return x.flatten(1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient.view(ctx.shape).contiguous(memory_format=torch.channels_last)


class Scores(nn.Sequential):
    """A sequence of layers whose last gives one number a sample, returned as (B,)."""

    def forward(self, images: Tensor) -> Tensor:
        """Scores (B,) of images (B, 3, H, H)."""
        scores: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
        return scores.squeeze(1)

    @property
    def knows_gradients(self) -> bool:
        """Whether `scores_and_gradients` can be called: the gradient of every layer is written down."""
        return all(map(has_vjp, self))

    def scores_and_gradients(self, images: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Scores (B,) of images (B, 3, H, H), and of the last `count` their gradients by the images.

        The gradients are a second network, run from the scores back to the images by the same weights. It is
        differentiated as any network is, and nothing is computed that its derivatives do not need.
        """
        features, vjps = images, []
        for layer in self:
            features, vjp = run_with_vjp(layer, features, count)
            vjps.append(vjp)
        gradients = torch.ones_like(features[-count:], requires_grad=False)
        for vjp in reversed(vjps):
            gradients = vjp(gradients)
        return features.squeeze(1), gradients


def _initialize(network: nn.Module, draw: Callable[[Tensor], object]) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            draw(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
