"""The critic of an experiment that trains none."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict
from torch import nn


class NoCritic(BaseModel):
    """Stands where a critic would, for objectives without an adversary."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: Literal["none"]

    normalization: ClassVar[Literal["none"]] = "none"

    def build(self) -> nn.Module:
        """A module without parameters, which nothing calls."""
        return nn.Identity()
