"""Draws docs/faces-16.webp and docs/faces-64.webp: what the models make of the faces in examples/portraits.

    python docs/make_faces_picture.py

The 64x64 pictures that faces of 16x16 are made from are area averages of the portraits, shown at twice their
size; one of them is written as examples/face.png. Of the 256x256 ones, made from faces of 64x64, the middle
is shown, a pixel as a pixel.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from srcli.comparison.degrading import parse_degradation
from srcli.comparison.panel import panel
from srcli.data.task import PAPER
from srcli.generators.loading import load_generator
from srcli.pictures.opening import open_picture
from srcli.pictures.pixels import Pixels, as_png
from srcli.pictures.resize import enlarge_bicubic, enlarge_nearest
from srcli.storage.atomic import write_bytes
from srcli.upscaling.tiles import enlarge_pixels

PORTRAITS = Path(__file__).parents[1] / "examples" / "portraits"
EXAMPLE, EXAMPLE_FACE = PORTRAITS.parent / "face.png", 4
HERE = Path(__file__).parent
MODELS = ("faces-faithful", "faces")
SHOWN = 192
"""How much of a face of 256x256 is shown, in pixels."""
JPEG, JPEG_CAPTION, JPEG_FACE = "jpeg:60", "the same of a JPEG of quality 60", 1
WEBP_QUALITY = 90

Rows = list[tuple[str, Pixels]]


def enlargements(inputs: Pixels, labels: Pixels) -> Rows:
    """Inputs, all that is made of them, and what they were made from, each (n, H, H, 3), by caption."""
    side = inputs.shape[1]
    rows = [
        (f"input, {side}x{side}", enlarge_nearest(inputs, PAPER.scale)),
        ("bicubic", enlarge_bicubic(inputs, PAPER.scale)),
    ]
    for name in MODELS:
        generator = load_generator(name)
        rows.append((name, np.stack([enlarge_pixels(pixels, generator) for pixels in inputs])))
    return [*rows, ("original", labels)]


def middle(faces: Pixels) -> Pixels:
    """The middle of larger faces, as much as is shown."""
    margin = (faces.shape[1] - SHOWN) // 2
    return faces[:, margin : margin + SHOWN, margin : margin + SHOWN]


def write_webp(path: Path, pixels: Pixels) -> None:
    """Writes a picture."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=WEBP_QUALITY, method=6)
    write_bytes(path, buffer.getvalue())


def main() -> None:
    """Draws both, and makes the example."""
    paths = sorted(PORTRAITS.glob("*.jpg"))
    portraits = np.stack([np.asarray(open_picture(path, path.name)) for path in paths])
    small = PAPER.low_res_of(portraits)
    write_bytes(EXAMPLE, as_png(small[EXAMPLE_FACE]))
    write_webp(HERE / "faces-16.webp", panel(enlargements(PAPER.low_res_of(small), small)))
    rows = [(caption, middle(faces)) for caption, faces in enlargements(small, portraits)]
    one = portraits[JPEG_FACE : JPEG_FACE + 1]
    compressed = parse_degradation(JPEG).apply(one, PAPER.scale)
    cells = [middle(faces)[0] for _, faces in enlargements(compressed, one)]
    write_webp(HERE / "faces-64.webp", panel([*rows, (JPEG_CAPTION, np.stack(cells))], zoom=1))


if __name__ == "__main__":
    main()
