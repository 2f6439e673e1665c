"""The task: sizes of inputs, labels and stored faces."""

import numpy as np

from srcli.pictures.pixels import Pixels, to_uint8
from srcli.pictures.resize import area_average, resize_area

FACE_SIZE = 72
"""Minimum side of a stored face in pixels: the paper's box with 4 of jitter on each side, at half size."""
LABEL_SIZE = 64
SCALE = 4


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
