"""Random crops of training faces, and changes to their colours and to the inputs."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from srcli.data.degradation_settings import DegradationSettings, Range
from srcli.data.task import PAPER

_Side = Annotated[int, Field(ge=1, le=10**6)]
_UpToOne = Annotated[float, Field(ge=0, le=1)]
_BelowOne = Annotated[float, Field(ge=0, lt=1)]


class Augmentation(BaseModel):
    """Random crops of training faces, and changes to their colours and to the inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    horizontal_flip: bool = True
    brightness: _UpToOne = Field(default=0.05, description="added, drawn from [-b, b], for values in [0, 1]")
    contrast: _BelowOne = Field(default=0.05, description="factor about the mean, drawn from [1 - c, 1 + c]")
    saturation: _BelowOne = Field(default=0.05, description="factor about grey, drawn from [1 - s, 1 + s]")
    windows: Range[_Side] = Field(
        default=(PAPER.label_size, PAPER.label_size),
        description="smallest and largest side, in stored pixels, of the squares that become labels",
    )
    mosaic: _UpToOne = Field(
        default=0.0,
        description="share of labels made of four smaller windows, so that large labels hold small faces too",
    )

    input_noise: float = Field(
        default=0.0, ge=0, le=1, description="deviation of noise added to the input, for values in [0, 1]"
    )
    degradation: DegradationSettings | None = Field(
        default=None, description="degradation of inputs; {} for the defaults in docs/degradation.md"
    )
