"""Fidelity and sharpness of models on larger faces than those of `srcli compare`.

    python benchmarks/larger_faces.py FOLDER [--side 256] [--models faces ...] [--limit 60] [--json]

The centre SIDE x SIDE pixels of every picture of at least that size are the label; its 4x4 area average, in 8
bits, is the input. Reports means over the pictures, next to Pillow's bicubic of the same inputs.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from srcli.data.task import PAPER
from srcli.generators.loading import load_generator
from srcli.metrics.measures import consistency, psnr, sharpness, ssim
from srcli.pictures.opening import open_picture
from srcli.pictures.pixels import Pixels
from srcli.pictures.resize import enlarge_bicubic
from srcli.upscaling.tiles import enlarge_pixels


def read_labels(folder: Path, side: int, limit: int | None) -> Pixels:
    """The centres of the first `limit` large enough pictures by name, or of all, (n, side, side, 3)."""
    labels: list[Pixels] = []
    for path in sorted(folder.iterdir()):
        pixels = np.asarray(open_picture(path, str(path)))
        top, left = ((length - side) // 2 for length in pixels.shape[:2])
        if min(top, left) >= 0 and (limit is None or len(labels) < limit):
            labels.append(pixels[top : top + side, left : left + side])
    if not labels:
        raise SystemExit(f"{folder} has no picture of {side}x{side} pixels or more")
    return np.stack(labels)


def measure(enlarged: Pixels, labels: Pixels, low_res: Pixels) -> dict[str, float]:
    """Means over all pictures."""
    outputs, truth = enlarged / 255, labels / 255
    return {
        "psnr": float(psnr(outputs, truth).mean()),
        "ssim": float(ssim(outputs, truth).mean()),
        "consistency": float(consistency(outputs, low_res / 255).mean()),
        "sharpness": float(sharpness(outputs, truth).mean()),
    }


def main() -> None:
    """Measures bicubic and the models, and prints a table or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, default=256, help="of the labels, a multiple of 4")
    parser.add_argument("--models", nargs="+", default=["faces", "faces-faithful"])
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    labels = read_labels(chosen.folder, chosen.side, chosen.limit)
    low_res = PAPER.low_res_of(labels)
    rows = {"bicubic": measure(enlarge_bicubic(low_res, PAPER.scale), labels, low_res)}
    for name in chosen.models:
        generator = load_generator(name)
        enlarged = np.stack([enlarge_pixels(pixels, generator) for pixels in low_res])
        rows[name] = measure(enlarged, labels, low_res)
    if chosen.json:
        print(json.dumps({"pictures": len(labels), "side": chosen.side, "rows": rows}))
        return
    print(f"{len(labels)} pictures, {chosen.side // 4} -> {chosen.side}")
    for name, row in rows.items():
        figures = "  ".join(f"{key} {value:8.4f}" for key, value in row.items())
        print(f"{name:24} {figures}  over bicubic {row['psnr'] - rows['bicubic']['psnr']:+.2f} dB")


if __name__ == "__main__":
    main()
