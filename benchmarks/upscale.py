"""The time of `srcli upscale` from a cold start, and for many small files in one call.

    python benchmarks/upscale.py [--repeats 7] [--files 1000] [--json]

Commands run in turn, so that changes of the machine's speed affect all alike; reports medians and ratios.
Memory is the peak resident set size of the process.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from srcli.data.task import PAPER
from srcli.drawn_faces.faces import draw_faces
from srcli.generators.loading import load_generator
from srcli.pictures.pixels import to_network

UPSCALE = [sys.executable, "-m", "srcli", "upscale"]


def run(command: list[str]) -> tuple[float, float]:
    """The wall-clock seconds and peak memory in MB of a command, which must succeed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with code {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def cold_start(folder: Path, repeats: int) -> dict[str, float]:
    """One 16x16 face in a new process, compared with importing torch alone."""
    write_faces(folder, 1)
    upscale = [
        *UPSCALE,
        str(folder / "0000.png"),
        "--out",
        str(folder / "big.png"),
        "--on-exist",
        "overwrite",
    ]
    torch = [sys.executable, "-c", "import torch"]
    run(upscale), run(torch)  # the first of each reads the disk
    pairs = [(run(upscale), run(torch)) for _ in range(repeats)]
    ours = statistics.median(pair[0][0] for pair in pairs)
    theirs = statistics.median(pair[1][0] for pair in pairs)
    return {
        "upscale_seconds": ours,
        "import_torch_seconds": theirs,
        "share_of_import_torch": ours / theirs,
        "upscale_memory_mb": max(pair[0][1] for pair in pairs),
    }


def many_files(folder: Path, files: int, batch: int, repeats: int) -> dict[str, float]:
    """Many 16x16 faces in one call, compared with the bare network on the same faces in batches."""
    low_res = write_faces(folder, files)
    inputs = to_network(low_res)
    generator = load_generator("faces")

    def bare() -> float:
        started = time.perf_counter()
        for start in range(0, files, batch):
            generator.enlarge(inputs[start : start + batch])
        return time.perf_counter() - started

    bare()
    pairs = []
    for number in range(repeats):
        whole, memory = run([*UPSCALE, str(folder), "--out", f"{folder}-out-{number}/"])
        pairs.append((whole, bare(), memory))
    ours, theirs = (statistics.median(pair[kind] for pair in pairs) for kind in (0, 1))
    return {
        "files": files,
        "upscale_seconds": ours,
        "bare_network_seconds": theirs,
        "ratio_to_bare_network": ours / theirs,
        "upscale_memory_mb": max(pair[2] for pair in pairs),
    }


def write_faces(folder: Path, count: int) -> np.ndarray:
    """Writes drawn faces as 16x16 PNGs and returns them, (count, 16, 16, 3)."""
    folder.mkdir(exist_ok=True)
    low_res = PAPER.low_res_of(draw_faces(count, 0)[:, 4:68, 4:68])
    for number, pixels in enumerate(low_res):
        Image.fromarray(pixels).save(folder / f"{number:04}.png")
    return low_res


def main() -> None:
    """Measures both and prints a table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=64, help="faces a bare network's call, as upscale's")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = {
            "cold_start": cold_start(Path(name) / "one", chosen.repeats),
            "many_files": many_files(
                Path(name) / "many", chosen.files, chosen.batch, max(chosen.repeats // 2, 1)
            ),
        }
    if chosen.json:
        print(json.dumps(figures))
        return
    for title, part in figures.items():
        print(title.replace("_", " "))
        for key, value in part.items():
            print(f"  {key.replace('_', ' '):24} {value:10.3f}")


if __name__ == "__main__":
    main()
