"""Boxes: moved, squared, and thinned out where they overlap."""

import numpy as np
import pytest

from srcli.detection.boxes import Boxes, shifted, squared, without_overlaps


def overlap(one: list[float], other: list[float], *, of_smaller: bool) -> float:
    """The common area of two boxes over that of both, or of the smaller one, edge by edge."""
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (min(areas) if of_smaller else sum(areas) - width * height)


def random_boxes(count: int) -> Boxes:
    random = np.random.default_rng(0)
    corners = random.uniform(0, 50, (count, 2))
    return np.hstack([corners, corners + random.uniform(5, 30, (count, 2))])


def test_edges_move_by_shares_of_width_and_height() -> None:
    boxes = np.array([[10.0, 20.0, 30.0, 60.0]])
    assert shifted(boxes, np.array([[0.1, -0.1, 0.0, 0.5]])).tolist() == [[12, 16, 30, 80]]


def test_squares_have_the_centre_and_the_longer_side() -> None:
    assert squared(np.array([[0.0, 0.0, 10.0, 30.0]])).tolist() == [[-10, 0, 20, 30]]


@pytest.mark.parametrize("of_smaller", [False, True])
def test_of_boxes_that_overlap_the_best_stays(of_smaller: bool) -> None:
    boxes, scores = random_boxes(60), np.random.default_rng(1).uniform(size=60)
    expected: list[int] = []
    for index in sorted(range(60), key=lambda index: -scores[index]):
        if all(
            overlap(boxes[index].tolist(), boxes[kept].tolist(), of_smaller=of_smaller) <= 0.4
            for kept in expected
        ):
            expected.append(index)
    assert without_overlaps(boxes, scores, 0.4, of_smaller=of_smaller).tolist() == expected
    assert 5 < len(expected) < 60


def test_without_boxes_none_are_left() -> None:
    assert len(without_overlaps(np.empty((0, 4)), np.empty(0), 0.5)) == 0
