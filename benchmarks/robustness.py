"""How models do on inputs that are not exact averages: JPEGs, noise, other kernels, blur.

    python benchmarks/robustness.py FOLDER [--side 256] [--models faces ...] [--limit 40] [--save DIR]

The centre SIDE x SIDE pixels of pictures of at least that size are the labels; with `--side 64`, the faces
that `srcli compare --images` makes of the pictures. Those measured are spread evenly over the sorted names.
Inputs are what `srcli compare --degrade` makes of labels. A cell holds PSNR in dB and SSIM over those of
Pillow's bicubic enlargement of the same input, and the sharpness; means over the pictures.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from larger_faces import measure, read_labels
from PIL import Image

from srcli.comparison.degrading import parse_degradation
from srcli.comparison.test_faces import faces_of_folder
from srcli.data.task import PAPER
from srcli.generators.loading import load_generator
from srcli.pictures.pixels import Pixels, grid
from srcli.pictures.resize import enlarge_bicubic
from srcli.upscaling.tiles import enlarge_pixels

DEGRADATIONS = (
    *(f"jpeg:{quality}" for quality in (95, 85, 75, 50)),
    *("noise:5", "noise:10", "kernel:bicubic", "kernel:bilinear", "kernel:lanczos", "blur:1"),
)
SHOWN = 10

Enlarge = Callable[[Pixels], Pixels]


def choose_labels(folder: Path, side: int, limit: int) -> Pixels:
    """At most `limit` labels (n, side, side, 3), spread evenly over the pictures of a folder."""
    labels = (
        faces_of_folder(folder, None).labels if side == PAPER.label_size else read_labels(folder, side, None)
    )
    chosen = np.linspace(0, len(labels) - 1, min(limit, len(labels))).round().astype(int)
    return labels[chosen]


def inputs_of(labels: Pixels) -> dict[str, Pixels]:
    """The labels' averages, and what each degradation makes of them: (n, side / 4, side / 4, 3) each."""
    degraded = {name: parse_degradation(name).apply(labels, PAPER.scale) for name in DEGRADATIONS}
    return {"average": PAPER.low_res_of(labels), **degraded}


def enlarger(model: str) -> Enlarge:
    """What `srcli upscale` makes of several pictures of one size."""
    generator = load_generator(model)
    return lambda inputs: np.stack([enlarge_pixels(pixels, generator) for pixels in inputs])


def save_sheet(folder: Path, name: str, inputs: Pixels, columns: dict[str, Pixels], labels: Pixels) -> None:
    """The first faces as one picture: the input's pixels, every enlargement, the label."""
    shown = {"input": inputs.repeat(4, axis=1).repeat(4, axis=2), **columns, "label": labels}
    rows = [[pixels[face] for pixels in shown.values()] for face in range(min(SHOWN, len(labels)))]
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(grid(rows)).save(folder / f"{name.replace(':', '-')}.png")


def main() -> None:
    """Measures bicubic and the models on every kind of input, and prints a table or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, default=256, help="of the labels, a multiple of 4")
    parser.add_argument("--models", nargs="+", default=["faces", "faces-faithful"])
    parser.add_argument("--limit", type=int, default=40)
    parser.add_argument("--kinds", nargs="+", help="only these inputs, of those in the table")
    parser.add_argument(
        "--save", type=Path, help="a folder for a sheet of the first ten faces of each kind of input"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    labels = choose_labels(chosen.folder, chosen.side, chosen.limit)
    ways: dict[str, Enlarge] = {
        "bicubic": lambda inputs: enlarge_bicubic(inputs, PAPER.scale),
        **{name: enlarger(name) for name in chosen.models},
    }
    figures, averages = {}, PAPER.low_res_of(labels)
    if not chosen.json:
        print(f"{len(labels)} pictures, {labels.shape[1] // 4} -> {labels.shape[1]}\n")
        print(f"| input | bicubic | {' | '.join(chosen.models)} |\n|{'---|' * (len(ways) + 1)}")
    for kind, inputs in inputs_of(labels).items():
        if chosen.kinds and kind not in chosen.kinds:
            continue
        enlarged = {name: enlarge(inputs) for name, enlarge in ways.items()}
        figures[kind] = {name: measure(pixels, labels, averages) for name, pixels in enlarged.items()}
        if chosen.save:
            save_sheet(chosen.save, kind, inputs, enlarged, labels)
        if not chosen.json:
            print(row_of(kind, figures[kind]), flush=True)
    if chosen.json:
        print(json.dumps({"pictures": len(labels), "side": int(labels.shape[1]), "rows": figures}))


def row_of(kind: str, figures: dict[str, dict[str, float]]) -> str:
    """A row of the table."""
    bicubic, *models = figures.values()
    cells = [f"{bicubic['psnr']:.2f} / {bicubic['ssim']:.3f} / {bicubic['sharpness']:.2f}"]
    for row in models:
        gains = row["psnr"] - bicubic["psnr"], row["ssim"] - bicubic["ssim"]
        cells.append(f"{gains[0]:+.2f} / {gains[1]:+.3f} / {row['sharpness']:.2f}")
    return f"| {kind} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
