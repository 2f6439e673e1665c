"""The speed of prepare-data on CelebA, relative to a plain Pillow loop in one process on the same archive.

python benchmarks/packing.py img_align_celeba.zip --images 2000
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image
from reporting import arguments, median_ratio, seconds_of, show, time_in_turn

BOX = (17, 52, 161, 196)  # the 144x144 pixels around the paper's box that its jitter reaches
SIDE = 72


def main() -> None:
    """Runs the benchmark."""
    parser = arguments(__doc__)
    parser.add_argument("archive", type=Path, help="CelebA's zip of aligned and cropped pictures")
    parser.add_argument("--images", type=int, default=2000, help="number of pictures to pack")
    parser.add_argument("--workers", type=int, nargs="*", default=sorted({1, os.cpu_count() or 1}))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = resized(options.archive, folder / "part.zip", options.images)
        actions = {"pillow": lambda: seconds_of(lambda: plain_loop(archive, folder / "plain.npy"))}
        for count in options.workers:
            actions[f"{count} workers"] = lambda n=count: seconds_of(
                lambda: prepare(archive, folder / "out", n)
            )
        actions["start"] = lambda: seconds_of(lambda: run_srcli("prepare-data", "--help"))
        seconds = time_in_turn(actions, options.rounds)
    figures: dict[str, object] = {"images": options.images}
    for name, values in seconds.items():
        figures[f"{name}_seconds"] = sorted(values)[len(values) // 2]
        if name not in ("pillow", "start"):
            figures[f"{name}_times_pillow"] = median_ratio(seconds["pillow"], values)
    one, most = (seconds[f"{count} workers"] for count in (min(options.workers), max(options.workers)))
    figures["most_times_least_workers"] = median_ratio(one, most)
    show(figures, options.json)


def resized(archive: Path, out: Path, images: int) -> Path:
    """A new archive of the first pictures of an archive, repeated if it has fewer."""
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(out, "w") as target:
        names = [name for name in source.namelist() if name.endswith(".jpg")]
        for number, name in zip(range(images), cycle(names), strict=False):
            target.writestr(f"{number:06d}.jpg", source.read(name))
    return out


def plain_loop(archive: Path, out: Path) -> None:
    """The loop anyone would write: decode, crop, halve, store."""
    faces = []
    with zipfile.ZipFile(archive) as source:
        for name in sorted(source.namelist()):
            picture = Image.open(io.BytesIO(source.read(name))).convert("RGB")
            faces.append(np.asarray(picture.crop(BOX).resize((SIDE, SIDE), Image.Resampling.BOX)))
    np.save(out, np.stack(faces))


def prepare(archive: Path, out: Path, workers: int) -> None:
    """The same by srcli, including its startup and checks."""
    shutil.rmtree(out, ignore_errors=True)
    run_srcli("prepare-data", str(archive), "--out", str(out), "--workers", str(workers))


def run_srcli(*words: str) -> None:
    """Runs a command of srcli in a new process."""
    subprocess.run([sys.executable, "-m", "srcli", *words], check=True, capture_output=True)


if __name__ == "__main__":
    main()
