"""Identity: the distance is dlib's own, of the right pair of faces."""

from importlib import util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srcli.metrics.identity import identities_of
from srcli.pictures.pixels import Pixels
from srcli.pictures.resize import enlarge_bicubic

dlib = pytest.importorskip("dlib", reason="needs the extra `identity`")

EXAMPLES = Path(__file__).parents[2] / "examples" / "faces"


@pytest.fixture(scope="module")
def labels() -> Pixels:
    return np.stack([np.asarray(Image.open(path)) for path in sorted(EXAMPLES.glob("*.png"))[:3]])


def test_the_distance_is_dlibs_between_faces_cut_out_where_the_labels_is(labels: Pixels) -> None:
    package = util.find_spec("face_recognition_models")
    assert package is not None
    models = Path(package.origin or "").parent / "models"
    predictor = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
    images = np.stack([np.asarray(Image.fromarray(label).reduce(4).resize((64, 64))) for label in labels])
    expected = []
    for label, image in zip(labels, images, strict=True):
        large, output = (
            np.asarray(Image.fromarray(pixels).resize((256, 256), Image.Resampling.BICUBIC))
            for pixels in (label, image)
        )
        points = predictor(large, dlib.get_frontal_face_detector()(large)[0])
        pair = [dlib.get_face_chip(pixels, points, 150, 0.25) for pixels in (large, output)]
        ours, its = (np.array(network.compute_face_descriptor(chip)) for chip in pair)
        expected.append(np.linalg.norm(ours - its))
    identities = identities_of(labels)
    np.testing.assert_allclose(identities.distances(images), expected, atol=1e-6)
    np.testing.assert_allclose(identities.distances(images[1:], start=1), expected[1:], atol=1e-6)


def test_a_label_is_itself_and_nobody_else(labels: Pixels) -> None:
    identities = identities_of(labels)
    np.testing.assert_array_equal(identities.distances(labels), 0)
    assert identities.distances(labels[[1, 2, 0]]).min() > 0.4


def test_a_face_that_is_not_found_is_taken_to_be_aligned(labels: Pixels) -> None:
    grey = np.full((1, 64, 64, 3), 128, np.uint8)
    identities = identities_of(grey)
    assert identities.distances(grey) == 0
    assert np.isfinite(identities.distances(enlarge_bicubic(labels[:1, ::4, ::4], 4))).all()
