"""The MLP generator and critic: four linear layers each, width 512."""

from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from srcli.data.task import Sizes
from srcli.models.layers import (
    Activation,
    Depth,
    Normalization,
    Scores,
    Width,
    activation,
    initialize_he,
    normalization,
)

LOW_RES_VALUES = 3 * 16 * 16
HIGH_RES_VALUES = 3 * 64 * 64


class MlpGenerator(BaseModel):
    """Linear layers from all 768 input values to all 12,288 output values; it takes 16x16 only."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: Literal["mlp"]
    width: Width = 512
    layers: Depth = Field(default=4, ge=2)
    normalization: Literal["batch", "none"] = "batch"
    activation: Activation = "relu"

    sizes: ClassVar[Sizes] = Sizes(input_size=16, size_multiple=16)

    def build(self) -> nn.Module:
        """The network, initialised: (B, 3, 16, 16) in [-1, 1] to (B, 3, 64, 64)."""
        sizes = [LOW_RES_VALUES] + [self.width] * (self.layers - 1)
        layers: list[nn.Module] = [nn.Flatten()]
        for inputs, outputs in pairwise(sizes):
            layers += [
                nn.Linear(inputs, outputs),
                normalization(self.normalization, outputs, spatial=False),
                activation(self.activation),
            ]
        last = nn.Linear(self.width, HIGH_RES_VALUES)
        network = nn.Sequential(*layers, last, nn.Tanh(), nn.Unflatten(1, (3, 64, 64)))
        initialize_he(network)
        # No ReLU follows: He's deviation would start the 12,288 outputs at the flat ends of tanh.
        nn.init.xavier_normal_(last.weight)
        return network


class MlpCritic(BaseModel):
    """Linear layers from all 12,288 values to one score."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: Literal["mlp"]
    width: Width = 512
    layers: Depth = Field(default=4, ge=2)
    normalization: Normalization = "batch"
    activation: Activation = "leaky_relu"

    def build(self) -> nn.Module:
        """The network, initialised: (B, 3, 64, 64) in [-1, 1] to scores (B,), higher for more real."""
        layers: list[nn.Module] = [
            nn.Flatten(),
            nn.Linear(HIGH_RES_VALUES, self.width),
            activation(self.activation),
        ]
        for _ in range(self.layers - 2):
            layers += [
                nn.Linear(self.width, self.width),
                normalization(self.normalization, self.width, spatial=False),
                activation(self.activation),
            ]
        network = Scores(*layers, nn.Linear(self.width, 1))
        initialize_he(network)
        return network
