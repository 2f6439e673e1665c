"""Boxes in a picture, as arrays (N, 4) of left, top, right and bottom in pixels, right and bottom outside."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Scores = NDArray[np.float64]


def shifted(boxes: Boxes, changes: NDArray[np.floating]) -> Boxes:
    """Boxes whose edges are moved by shares (N, 4) of their width and height."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    return boxes + changes * np.tile(sizes, 2)


def squared(boxes: Boxes) -> Boxes:
    """Squares about the boxes' centres, as large as their longer sides."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centres - halves, centres + halves])


def without_overlaps(
    boxes: Boxes, scores: Scores, most: float, *, of_smaller: bool = False
) -> NDArray[np.int64]:
    """The indices of the boxes that no better one overlaps by more than `most`, best first.

    Overlaps are shares of the union of the two boxes, or of the smaller one.
    """
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        whole = np.minimum(areas[best], areas[rest]) if of_smaller else areas[best] + areas[rest] - common
        order = rest[common <= most * whole]
    return np.array(kept, np.int64)
