"""The critic of an experiment that trains none."""

from typing import ClassVar, Literal

from torch import nn

from srcli.data.task import Task
from srcli.models.layers import NetworkSettings


class NoCritic(NetworkSettings):
    """Stands where a critic would, for objectives without an adversary."""

    architecture: Literal["none"]

    normalization: ClassVar[Literal["none"]] = "none"

    def build(self, _task: Task) -> nn.Module:
        """A module without parameters, which nothing calls."""
        return nn.Identity()
