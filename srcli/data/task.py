"""What the networks do: the sizes of inputs, labels and stored faces, and of what one generator takes."""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from srcli.pictures.pixels import Pixels, to_uint8
from srcli.pictures.resize import area_average, resize_area

FACE_SIZE = 72
"""Least side of a stored face in pixels: the paper's box with 4 of jitter on every side, at half size."""
LABEL_SIZE = 64
SCALE = 4


class Sizes(BaseModel):
    """What a generator takes, and how much larger its output is.

    Attributes:
        scale: Of the output to the input, on each side.
        noise_size: Length of the noise vectors it draws faces from; None for one that enlarges pictures.
        input_size: The only side that its inputs may have, in pixels; None for any.
        size_multiple: Sides must be a multiple of this many pixels.
        context: Input pixels farther away than this have no influence on an output pixel.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    scale: int = Field(default=SCALE, ge=1, le=16)
    noise_size: int | None = Field(default=None, ge=1, le=65536)
    input_size: int | None = Field(default=None, ge=1, le=4096)
    size_multiple: int = Field(default=1, ge=1, le=256)
    context: int = Field(default=0, ge=0, le=4096, alias="margin")  # the name that ONNX files have for it

    @property
    def takes_noise(self) -> bool:
        """Whether it draws faces and enlarges nothing."""
        return self.noise_size is not None


def low_res_of(labels: Pixels) -> Pixels:
    """The networks' input from the labels, by 4x4 area averaging: (N, 64, 64, 3) -> (N, 16, 16, 3)."""
    return to_uint8(area_average(labels, SCALE))


def centre_window(faces: Pixels) -> Pixels:
    """The paper's box without jitter, 8/9 of a face's side, area-averaged: (N, S, S, 3) -> (N, 64, 64, 3).

    Of faces of 72 pixels it is a view.
    """
    size = faces.shape[1]
    side = round(size * LABEL_SIZE / FACE_SIZE)
    margin = (size - side) // 2
    windows = faces[:, margin : margin + side, margin : margin + side]
    if side == LABEL_SIZE:
        return windows
    labels = np.empty((len(faces), LABEL_SIZE, LABEL_SIZE, 3), np.uint8)
    for label, window in zip(labels, windows, strict=True):
        label[:] = resize_area(window, LABEL_SIZE)
    return labels
