"""A trained generator: the one record of what it is, and what can be done with it, whatever runs it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from srcli.data.task import Sizes, Task

if TYPE_CHECKING:
    from srcli.data.degradation_settings import DegradationSettings

SAMPLES_AT_ONCE = 64


class InputChanges(BaseModel):
    """What an experiment's augmentation does to exact averages, of all that it does."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)

    input_noise: float = Field(default=0.0, ge=0, le=1)
    degradation: dict[str, Any] | None = None

    def settings(self) -> "DegradationSettings | None":
        """How inputs were degraded.

        Raises:
            ValueError: The settings are not valid.
        """
        if self.degradation is None:
            return None
        # Few models have these settings, and to import them takes as long as a small picture.
        from srcli.data.degradation_settings import DegradationSettings

        return DegradationSettings.model_validate(self.degradation)


class Description(Sizes):
    """What a generator is and takes; as JSON, what an ONNX file of this project says of itself.

    Attributes:
        name: Of the experiment that trained it.
        experiment: The whole experiment, as its YAML holds it.
        sha256: Of the weight file; empty in the file itself.
    """

    version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=100)
    step: int = Field(ge=0)
    experiment: dict[str, Any]
    sha256: str = Field(default="", exclude=True)

    @field_validator("experiment")
    @classmethod
    def _read_old_critic(cls, experiment: dict[str, Any]) -> dict[str, Any]:
        """The bundled faces-faithful.onnx says `{architecture: none}` for what is null now."""
        without = experiment.get("critic") == {"architecture": "none"}
        return {**experiment, "critic": None} if without else experiment

    @property
    def task(self) -> Task:
        """What it was trained to do."""
        return Task.model_validate(self.experiment.get("task", {}))

    @cached_property
    def input_changes(self) -> InputChanges:
        """What was done to the inputs that it was trained on."""
        return InputChanges.model_validate(self.experiment.get("augmentation", {}))

    @model_validator(mode="after")
    def _check_input_changes(self) -> Self:
        self.input_changes.settings()  # raises where they are not valid
        return self

    @model_validator(mode="after")
    def _check_task(self) -> Self:
        if self.task.scale != self.scale:
            raise ValueError(f"the scale is {self.scale}, but its experiment's {self.task.scale}")
        return self

    @property
    def label(self) -> str:
        """The name and the step, for people."""
        return f"{self.name}, step {self.step}"


@dataclass(frozen=True)
class Generator(ABC):
    """A trained generator; a subclass says what runs it."""

    description: Description

    @abstractmethod
    def enlarge(self, low_res: NDArray[np.float32]) -> NDArray[np.float32]:
        """Enlarges pictures (B, 3, h, w) in [-1, 1] by the scale, or draws faces from noise (B, n)."""

    def sample(self, count: int, seed: int) -> NDArray[np.float32]:
        """Draws faces (count, 3, H, H) in [-1, 1] from standard normal noise."""
        assert self.description.noise_size is not None
        shape = count, self.description.noise_size
        noise = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
        parts = range(0, count, SAMPLES_AT_ONCE)
        return np.concatenate([self.enlarge(noise[start : start + SAMPLES_AT_ONCE]) for start in parts])
