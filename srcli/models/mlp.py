"""The MLP generator and critic: four linear layers each, width 512."""

from itertools import pairwise
from typing import Literal

from pydantic import Field
from torch import nn

from srcli.data.task import Sizes, Task
from srcli.models.layers import (
    Activation,
    Depth,
    NetworkSettings,
    Normalization,
    Scores,
    Width,
    activation,
    finish,
    initialize_he,
)


class MlpGenerator(NetworkSettings):
    """Linear layers from all input values to all output values; it takes inputs of the task's size only."""

    architecture: Literal["mlp"]
    width: Width = 512
    layers: Depth = Field(default=4, ge=2)
    normalization: Literal["batch", "none"] = "batch"
    activation: Activation = "relu"

    def sizes(self, task: Task) -> Sizes:
        """What the network takes."""
        return Sizes(scale=task.scale, input_size=task.input_size, size_multiple=task.input_size)

    def build(self, task: Task) -> nn.Module:
        """The network, initialised: (B, 3, h, h) in [-1, 1] to (B, 3, H, H)."""
        sizes = [3 * task.input_size**2] + [self.width] * (self.layers - 1)
        layers: list[nn.Module] = [nn.Flatten()]
        for inputs, outputs in pairwise(sizes):
            layers.append(nn.Linear(inputs, outputs))
            layers += finish(self.normalization, self.activation, outputs, spatial=False)
        side = task.label_size
        last = nn.Linear(self.width, 3 * side**2)
        network = nn.Sequential(*layers, last, nn.Tanh(), nn.Unflatten(1, (3, side, side)))
        initialize_he(network)
        # No ReLU follows: He's deviation would start the outputs at the flat ends of tanh.
        nn.init.xavier_normal_(last.weight)
        return network


class MlpCritic(NetworkSettings):
    """Linear layers from all values of a label to one score."""

    architecture: Literal["mlp"]
    width: Width = 512
    layers: Depth = Field(default=4, ge=2)
    normalization: Normalization = "batch"
    activation: Activation = "leaky_relu"

    def build(self, task: Task) -> nn.Module:
        """The network, initialised: (B, 3, H, H) in [-1, 1] to scores (B,), higher for more real."""
        first = nn.Linear(3 * task.label_size**2, self.width)
        layers: list[nn.Module] = [nn.Flatten(), first, activation(self.activation)]
        for _ in range(self.layers - 2):
            layers.append(nn.Linear(self.width, self.width))
            layers += finish(self.normalization, self.activation, self.width, spatial=False)
        network = Scores(*layers, nn.Linear(self.width, 1))
        initialize_he(network)
        return network
