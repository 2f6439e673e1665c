"""The schema of experiments."""

from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from srcli.data.augmentation import Augmentation
from srcli.data.task import PAPER, Sizes, Task
from srcli.models import CriticSettings, GeneratorSettings
from srcli.objectives import Objective
from srcli.optimizers import OptimizerSettings

_Count = Annotated[int, Field(ge=1, le=10**12)]
_BelowOne = Annotated[float, Field(ge=0, lt=1)]


class Training(BaseModel):
    """The length and conduct of training. A step is one generator update and its n_critic critic updates."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    steps: _Count = 20_000
    batch_size: _Count = 16
    seed: int = Field(default=0, ge=0, lt=2**64)
    precision: Literal["fp32", "bf16"] = "fp32"
    ema_decay: _BelowOne = Field(default=0.0, description="moving average of the generator; 0 for none")
    init_from: str | None = Field(
        default=None, description="a run or weight file to start the generator from"
    )
    batch_norm_at_test: Literal["running", "batch"] = Field(
        default="running", description="batch norm statistics used by evaluations and samples"
    )
    sample_every: _Count = 500
    evaluate_every: _Count = 500
    evaluate_faces: _Count = Field(default=300, description="number of test faces measured")
    checkpoint_every: _Count = 250
    checkpoint_minutes: float = Field(
        default=10.0, gt=0, description="a checkpoint is also written when the last one is older"
    )
    keep_checkpoints: _Count = 2
    on_unhealthy: Literal["warn", "stop"] = Field(
        default="warn", description="what to do when an evaluation finds a run unhealthy; see docs/health.md"
    )


class Experiment(BaseModel):
    """Everything that determines a run, except its data and the device."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    task: Task = PAPER
    generator: GeneratorSettings
    critic: CriticSettings | None
    objective: Objective
    optimizer: OptimizerSettings
    augmentation: Augmentation = Augmentation()
    training: Training = Training()

    @property
    def sizes(self) -> Sizes:
        """What the generator takes, and how much larger its output is."""
        return self.generator.sizes(self.task)

    @model_validator(mode="after")
    def _check_parts_fit(self) -> Self:
        mistakes = [f"generator.{mistake}" for mistake in self.generator.mistakes(self.task)]
        if self.critic is not None:
            mistakes += [f"critic.{mistake}" for mistake in self.critic.mistakes(self.task)]
        if self.augmentation.windows[0] < self.task.label_size:
            mistakes.append(
                f"augmentation.windows: should be at least task.label_size, {self.task.label_size},"
                f" not {self.augmentation.windows[0]}"
            )
        if self.augmentation.mosaic and self.task.input_size % 2:
            mistakes.append("augmentation.mosaic: should be 0 where inputs have an odd number of pixels")
        critic_normalization = None if self.critic is None else self.critic.normalization
        if critic_normalization == "batch" and not self.objective.allows_batch_norm_critic:
            mistakes.append(
                f"critic.normalization: {self.objective.name} penalises each sample's gradient, but batch"
                " normalisation mixes samples; use layer or none"
            )
        if self.sizes.takes_noise and self.objective.gamma > 0:
            mistakes.append(
                "objective.gamma: a generator from noise has no input to stay consistent with; use 0.0"
            )
        if self.sizes.takes_noise and self.objective.pixel_weight > 0:
            mistakes.append("objective: a generator from noise has no label to compare with")
        if self.sizes.takes_noise and self.augmentation.degradation is not None:
            mistakes.append(
                "augmentation.degradation: a generator from noise has no input to degrade; use null"
            )
        if (self.critic is not None) != self.objective.has_critic:
            wanted = "needs a critic" if self.objective.has_critic else "trains no critic; use null"
            mistakes.append(f"critic: objective {self.objective.name} {wanted}")
        if "batch" in (self.generator.normalization, critic_normalization) and self.training.batch_size < 2:
            mistakes.append("training.batch_size: batch normalisation needs at least 2")
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return self

    def to_yaml(self) -> str:
        """The complete experiment as YAML, which loads as an equal experiment."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)
