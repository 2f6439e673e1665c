"""The parts that the settings of all studies share."""

import math
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from srcli.objectives import Gan, Wgan, WganGp
from srcli.optimizers import OptimizerSettings
from srcli.reproduction.verdicts import Estimate, Verdict, surely_within

Count = Annotated[int, Field(ge=1, le=10**7)]
Steps = Annotated[int, Field(ge=0, le=10**7)]
Width = Annotated[int, Field(ge=1, le=4096)]
Layers = Annotated[int, Field(ge=1, le=64)]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=2, strict=False)]

AdversarialObjective = Annotated[Gan | Wgan | WganGp, Field(discriminator="name")]


class Settings(BaseModel):
    """Frozen settings of a plan's YAML; unknown names are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Method(Settings):
    """An objective and the optimiser that both networks are trained with."""

    objective: AdversarialObjective
    optimizer: OptimizerSettings

    @model_validator(mode="after")
    def _check_gamma(self) -> Self:
        if self.objective.gamma != 0 or self.objective.pixel_weight != 0:
            raise ValueError("there are no pictures here: gamma and pixel_weight should be 0")
        return self


class Bound(Settings):
    """Where a statistic has to lie for a claim to hold, set before the runs."""

    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("should have at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least should not be above at_most")
        return self

    def in_words(self) -> str:
        """As "at least 0.9" or "between 0.9 and 1.1"."""
        if self.at_least is None:
            return f"at most {self.at_most:g}"
        if self.at_most is None:
            return f"at least {self.at_least:g}"
        return f"between {self.at_least:g} and {self.at_most:g}"

    def judge(self, estimate: Estimate) -> Verdict:
        """Holds if the whole interval lies within the bound, does not if none of it does, else undecided."""
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        return surely_within(estimate, low, high)


class Methods(Settings):
    """The three adversarial objectives, side by side."""

    gan: Method
    wgan: Method
    wgan_gp: Method

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for key, method in (("gan", self.gan), ("wgan", self.wgan), ("wgan-gp", self.wgan_gp)):
            if method.objective.name != key:
                raise ValueError(f"the objective of {key.replace('-', '_')} should have the name {key}")
        return self

    def by_name(self) -> dict[str, Method]:
        """The methods by the names of their objectives."""
        return {method.objective.name: method for method in (self.gan, self.wgan, self.wgan_gp)}
