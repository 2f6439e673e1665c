"""Draws examples/face.png with a trained noise generator, and docs/example.png with the bundled models.

    srcli train --preset noise-dcgan-wgangp --data DIR
    python docs/make_example.py runs/noise-dcgan-wgangp-1 [--seed 0] [--pick 0]

Without a run, docs/example.png is made anew from the examples/face.png that is there.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from srcli.data.task import PAPER
from srcli.generators.loading import load_generator
from srcli.pictures.pixels import as_png, from_network, grid, to_network
from srcli.pictures.resize import enlarge_bicubic, enlarge_nearest
from srcli.storage.atomic import write_bytes

FACE = Path(__file__).parents[1] / "examples" / "face.png"
PICTURE = Path(__file__).with_name("example.png")
SHOWN_SCALE = 3


def draw_face(run: str, seed: int, pick: int) -> None:
    """Writes one 64x64 face of a noise generator, reduced to 16x16 as the networks' inputs are."""
    samples = from_network(load_generator(run).sample(pick + 1, seed))
    write_bytes(FACE, as_png(PAPER.low_res_of(samples)[pick]))


def show_face() -> None:
    """Writes the face, its bicubic enlargement and the bundled models' side by side, each pixel as 3x3."""
    with Image.open(FACE) as image:
        low_res = np.asarray(image.convert("RGB"))[None]
    models = [
        from_network(load_generator(name).enlarge(to_network(low_res)))
        for name in ("faces-faithful", "faces")
    ]
    columns = [enlarge_nearest(low_res, PAPER.scale), enlarge_bicubic(low_res, PAPER.scale), *models]
    write_bytes(
        PICTURE, as_png(grid([[enlarge_nearest(column, SHOWN_SCALE)[0] for column in columns]], gap=6))
    )


def main() -> None:
    """Makes both, or the second alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pick", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.run:
        draw_face(chosen.run, chosen.seed, chosen.pick)
    show_face()


if __name__ == "__main__":
    main()
