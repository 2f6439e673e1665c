"""How long `srcli upscale` takes for a large picture, beside its network's arithmetic at the machine's peak.

    python benchmarks/large_picture.py [--width 900] [--height 700] [--model faces] [--json]

The peak is that of products of matrices, taken before and after, and the higher one is used. Times are on the
clock and of all cores together; on a machine that does other work, compare the second ones. Memory is the
largest resident set of the process. Right for networks whose layers all run at the input's size.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from PIL import Image

from srcli.drawn_faces.faces import draw_faces
from srcli.generators.bundled import BUNDLED, read_bundled

MATRIX_SIDE = 1536
PRODUCTS = 6


def peak_flops() -> tuple[float, float]:
    """Operations a second in products of matrices: on the clock, and for each second of a core."""
    random = np.random.default_rng(0)
    left, right = random.standard_normal((2, MATRIX_SIDE, MATRIX_SIDE)).astype(np.float32)
    clock, cores = [], []
    for _ in range(PRODUCTS):
        before, used = time.perf_counter(), time.process_time()
        left @ right
        clock.append(time.perf_counter() - before)
        cores.append(time.process_time() - used)
    operations = 2 * MATRIX_SIDE**3
    return operations / min(clock), operations / min(cores)


def operations_per_pixel(model: str) -> int:
    """Two for each weight of a convolution, which is used once for every pixel of the input."""
    content = read_bundled(model) if model in BUNDLED else Path(model).read_bytes()
    weights = (numpy_helper.to_array(tensor) for tensor in onnx.load_from_string(content).graph.initializer)
    return 2 * sum(values.size for values in weights if values.ndim == 4)


def draw_picture(path: Path, width: int, height: int) -> None:
    """Writes many drawn faces side by side as one PNG."""
    side = 72
    faces = draw_faces(min(-(-width // side) * -(-height // side), 64), 0)
    columns, rows = -(-width // side), -(-height // side)
    tiles = faces[np.arange(rows * columns) % len(faces)].reshape(rows, columns, side, side, 3)
    picture = tiles.transpose(0, 2, 1, 3, 4).reshape(rows * side, columns * side, 3)
    Image.fromarray(np.ascontiguousarray(picture[:height, :width])).save(path)


def upscale(folder: Path, model: str) -> dict[str, float]:
    """Seconds on the clock, seconds of cores, and peak memory in MB of one call."""
    command = [sys.executable, "-m", "srcli", "upscale", str(folder / "picture.png"), "--model", model]
    before = time.perf_counter()
    process = subprocess.Popen([*command, "--out", str(folder / "large.png")], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with code {process.returncode}")
    return {
        "seconds": time.perf_counter() - before,
        "core_seconds": usage.ru_utime + usage.ru_stime,
        "memory_mb": usage.ru_maxrss / 1024,
    }


def main() -> None:
    """Measures one picture and prints the figures, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=900)
    parser.add_argument("--height", type=int, default=700)
    parser.add_argument("--model", default="faces", help="a bundled name or an .onnx file")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    operations = operations_per_pixel(chosen.model) * chosen.width * chosen.height
    with tempfile.TemporaryDirectory() as name:
        draw_picture(Path(name) / "picture.png", chosen.width, chosen.height)
        before = peak_flops()
        figures = upscale(Path(name), chosen.model)
        clock, cores = (max(pair) for pair in zip(before, peak_flops(), strict=True))
    figures |= {
        "gflop": operations / 1e9,
        "peak_gflop_per_second": clock / 1e9,
        "ratio_on_the_clock": figures["seconds"] * clock / operations,
        "ratio_of_core_seconds": figures["core_seconds"] * cores / operations,
    }
    if chosen.json:
        print(json.dumps(figures))
        return
    print(f"{chosen.width} x {chosen.height} pixels, {chosen.model}")
    for key, value in figures.items():
        print(f"  {key.replace('_', ' '):24} {value:10.2f}")


if __name__ == "__main__":
    main()
