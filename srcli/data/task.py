"""What the networks do: the sizes of inputs, labels and stored faces, and of what one generator takes."""

from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from srcli.errors import DataError
from srcli.pictures.pixels import Pixels, to_uint8
from srcli.pictures.resize import area_average, resize_area


class Task(BaseModel):
    """Labels are cut out of stored faces and reduced to inputs, from which generators make them again.

    Attributes:
        face_size: The side of a stored face whose centre of `label_size` pixels is a label. Larger faces are
            reduced in the same proportion; 72 to 64 is the paper's box with its jitter, at half size.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    scale: int = Field(default=4, ge=2, le=16, description="how many times larger labels are than inputs")
    label_size: int = Field(default=64, ge=16, le=1024, description="side of the labels in pixels")
    face_size: int = Field(default=72, le=4096, description="side of the stored faces they are cut out of")

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.label_size % self.scale:
            raise ValueError("label_size should be a multiple of scale")
        if self.face_size < self.label_size:
            raise ValueError("face_size should be at least label_size")
        return self

    def __str__(self) -> str:
        sides = (self.input_size, self.label_size, self.face_size)
        return "{0}x{0} to {1}x{1}, of faces of {2} pixels".format(*sides)

    @property
    def input_size(self) -> int:
        """The side of the inputs in pixels."""
        return self.label_size // self.scale

    @property
    def doublings(self) -> int:
        """How often inputs are doubled to become labels; rounded down where the scale is no power of two."""
        return self.scale.bit_length() - 1

    @property
    def halvings(self) -> int:
        """How often labels are halved until 4 to 7 pixels are left."""
        return (self.label_size // 4).bit_length() - 1

    def low_res_of(self, labels: Pixels) -> Pixels:
        """The inputs, by area averaging: (N, label size, label size, 3) -> (N, input size, input size, 3)."""
        return to_uint8(area_average(labels, self.scale))

    def centre_window(self, faces: Pixels) -> Pixels:
        """The labels without jitter, area-averaged: (N, S, S, 3) -> (N, label size, label size, 3).

        Of faces of `face_size` pixels it is a view.

        Raises:
            DataError: The faces are too small.
        """
        size = faces.shape[1]
        side = round(size * self.label_size / self.face_size)
        if side < self.label_size:
            raise DataError(
                f"faces of {size} pixels are too small for labels of {self.label_size}",
                f"Prepare them again with --size {self.face_size} or more.",
            )
        margin = (size - side) // 2
        windows = faces[:, margin : margin + side, margin : margin + side]
        if side == self.label_size:
            return windows
        labels = np.empty((len(faces), self.label_size, self.label_size, 3), np.uint8)
        for label, window in zip(labels, windows, strict=True):
            label[:] = resize_area(window, self.label_size)
        return labels


PAPER = Task()
"""16x16 to 64x64."""


class Sizes(BaseModel):
    """What a generator takes, and how much larger its output is.

    Attributes:
        scale: Of the output to the input, on each side.
        noise_size: Length of the noise vectors it draws faces from; None for one that enlarges pictures.
        input_size: The only side that its inputs may have, in pixels; None for any.
        size_multiple: Sides must be a multiple of this many pixels.
        context: Input pixels farther away than this have no influence on an output pixel.
        tile_size: Side of the squares that large pictures are enlarged in, in input pixels, without context.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    scale: int = Field(default=4, ge=1, le=16)
    noise_size: int | None = Field(default=None, ge=1, le=65536)
    input_size: int | None = Field(default=None, ge=1, le=4096)
    size_multiple: int = Field(default=1, ge=1, le=256)
    context: int = Field(default=0, ge=0, le=4096, alias="margin")  # the name that ONNX files have for it
    tile_size: int = Field(default=128, ge=16, le=4096)

    @property
    def takes_noise(self) -> bool:
        """Whether it draws faces and enlarges nothing."""
        return self.noise_size is not None
