"""MTCNN: three small networks, each looking again at what the one before found.

Zhang et al., *Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks*, 2016.
`weights/mtcnn.md` says where the weights are from.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srcli.detection.boxes import Boxes, Scores, shifted, squared, without_overlaps
from srcli.pictures.pixels import Pixels
from srcli.storage.checksums import read_released

if TYPE_CHECKING:
    import onnxruntime

SHA256 = {
    "pnet": "0e3ea4232c3bb5370876ce1a48cce7d8b95c47bf0e626e2c4646b433649a31ad",
    "rnet": "24a13d0d0b32bc662a7d778e56506f7450c254aaa197354ed88a8bcf1bacd52d",
    "onet": "87974f8d20b116f1e4d0ce2abb8ea4c3239071e6dd9e5b8b0a60ab23b71a7f09",
}
"""The networks, and the SHA-256 of `weights/mtcnn-NAME.onnx`."""

CELL, STRIDE = 12, 2
"""The side of the squares that the first network judges, and the distance between them, in pixels."""
PYRAMID_FACTOR = 0.709
THRESHOLDS = {"pnet": 0.6, "rnet": 0.7, "onet": 0.8}
"""Least probabilities of a face, by network."""
CROPS_AT_ONCE = 256


@dataclass(frozen=True)
class Face:
    """A face in a picture.

    Attributes:
        left, top, right, bottom: The edges of its box in pixels, from the forehead to the chin.
        score: How sure the detector is, in [0, 1].
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float

    @property
    def size(self) -> float:
        """The box's longer side in pixels."""
        return max(self.right - self.left, self.bottom - self.top)


def find_faces(pixels: Pixels, minimum: int) -> list[Face]:
    """The faces in a picture (H, W, 3), largest first.

    Args:
        minimum: The size of the smallest face that is looked for, in pixels, at least 12.

    Raises:
        CheckpointError: The detector's files are missing or damaged.
    """
    image = Image.fromarray(pixels)
    boxes = _proposals(image, minimum)
    for name, side in (("rnet", 24), ("onet", 48)):
        boxes, scores = _looked_at_again(image, boxes, name, side)
    faces = [Face(*values) for values in np.column_stack([boxes, scores]).tolist()]
    return sorted((face for face in faces if face.size >= minimum), key=lambda face: -face.size)


def _proposals(image: Image.Image, minimum: int) -> Boxes:
    """Squares that may hold a face, from a pyramid of smaller and smaller copies of the picture."""
    boxes, scores = [np.empty((0, 4))], [np.empty(0)]
    scale = CELL / minimum
    while min(image.size) * scale >= CELL:
        width, height = (max(CELL, round(length * scale)) for length in image.size)
        small = np.asarray(image.resize((width, height), Image.Resampling.BOX))
        maps, changes = _run("pnet", small[None])
        rows, columns = np.nonzero(maps[0] > THRESHOLDS["pnet"])
        corners = STRIDE * np.stack([columns, rows, columns, rows], axis=1) + [0, 0, CELL, CELL]
        found = shifted(corners / scale, changes[0][:, rows, columns].T)
        kept = without_overlaps(found, sure := maps[0][rows, columns].astype(np.float64), 0.5)
        boxes.append(found[kept])
        scores.append(sure[kept])
        scale *= PYRAMID_FACTOR
    all_boxes = np.concatenate(boxes)
    return squared(all_boxes[without_overlaps(all_boxes, np.concatenate(scores), 0.7)])


def _looked_at_again(image: Image.Image, boxes: Boxes, name: str, side: int) -> tuple[Boxes, Scores]:
    """The boxes that a further network takes for faces, moved to where it sees them, with their scores."""
    width, height = image.size
    inside = np.clip(boxes, 0, (width, height, width, height))
    whole = (inside[:, 2:] - inside[:, :2] >= 1).all(axis=1)
    boxes, inside = boxes[whole], inside[whole]
    scores, changes = [np.empty(0)], [np.empty((0, 4))]
    for start in range(0, len(boxes), CROPS_AT_ONCE):
        windows = inside[start : start + CROPS_AT_ONCE].tolist()
        crops = [image.resize((side, side), Image.Resampling.BOX, tuple(window)) for window in windows]
        new_scores, new_changes = _run(name, np.stack([np.asarray(crop) for crop in crops]))
        scores.append(new_scores.astype(np.float64))
        changes.append(new_changes.astype(np.float64))
    sure = np.concatenate(scores)
    kept = sure > THRESHOLDS[name]
    found, sure = shifted(boxes[kept], np.concatenate(changes)[kept]), sure[kept]
    is_last = name == "onet"
    best = without_overlaps(found, sure, 0.7, of_smaller=is_last)
    return found[best] if is_last else squared(found[best]), sure[best]


def _run(name: str, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Probabilities and changes of boxes for pictures (B, h, w, 3)."""
    values = (pictures.transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 128
    outputs: list[NDArray[np.float32]] = network(name).run(["scores", "boxes"], {"pixels": values})
    return outputs


def weights_file(name: str) -> Path:
    """Where a network lies."""
    return Path(__file__).parents[1] / "weights" / f"mtcnn-{name}.onnx"


@cache
def network(name: str) -> "onnxruntime.InferenceSession":
    """One of the three networks.

    Raises:
        CheckpointError: Its file is missing or damaged.
    """
    import onnxruntime

    content = read_released(weights_file(name), SHA256[name])
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
