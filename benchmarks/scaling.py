"""Step time by batch size, number of images and number of processes.

    python benchmarks/scaling.py --preset dcgan-wgangp --batch-sizes 4 16 64 --processes 1 2

One batch is split between the processes of torchrun, so more of them should take less time.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from contender import Contender
from reporting import arguments, seconds_of, show, time_in_turn

from srcli.data.batches import TrainingBatches
from srcli.data.dataset import Dataset
from srcli.drawn_faces.faces import draw_faces
from srcli.experiment.loading import load_experiment
from srcli.experiment.presets import preset_path

DRAWN = 256
RUN_STEPS = 6
BATCHES = 50


def main() -> None:
    """Runs the benchmark."""
    parser = arguments(__doc__)
    parser.add_argument("--preset", default="dcgan-wgangp")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--batch-sizes", type=int, nargs="*", default=[4, 16, 64])
    parser.add_argument("--images", type=int, nargs="*", default=[1_000, 200_000, 10_000_000])
    parser.add_argument("--processes", type=int, nargs="*", default=[], help="of torchrun, e.g. 1 2")
    options = parser.parse_args()
    figures: dict[str, object] = {"preset": options.preset, "precision": options.precision}
    figures |= by_batch_size(options.preset, options.precision, options.batch_sizes, options.rounds)
    figures |= by_image_count(options.preset, options.images, options.rounds)
    figures |= by_processes(options.preset, options.precision, options.processes)
    show(figures, options.json)


def by_batch_size(preset: str, precision: str, sizes: list[int], rounds: int) -> dict[str, object]:
    """Median seconds of a step for each batch size."""
    contenders = {size: Contender(preset, precision, size, None) for size in sizes}
    actions = {f"seconds_batch_{size}": lambda c=c: seconds_of(c.step) for size, c in contenders.items()}
    seconds = time_in_turn(actions, rounds)
    return {name: statistics.median(values) for name, values in seconds.items()}


def by_image_count(preset: str, counts: list[int], rounds: int) -> dict[str, object]:
    """Median seconds to make a batch, by number of faces in the dataset; the faces repeat."""
    experiment = load_experiment(preset_path(preset))
    drawn = draw_faces(DRAWN, seed=0)
    actions = {}
    for count in counts:
        faces = RepeatedFaces(drawn, count)
        splits = {"train": np.arange(count), "validation": np.arange(0), "test": np.arange(0)}
        dataset = Dataset(faces, splits, "", "drawn")  # type: ignore[arg-type]
        batches = TrainingBatches(dataset, experiment.augmentation, experiment.training.batch_size, 0)
        actions[f"seconds_to_load_of_{count}"] = lambda b=batches: seconds_of(lambda: load(b)) / BATCHES
    seconds = time_in_turn(actions, rounds)
    return {name: statistics.median(values) for name, values in seconds.items()}


def load(batches: TrainingBatches) -> None:
    """Makes a few batches of the first epoch."""
    for number in range(BATCHES):
        batches.batch(number, torch.device("cpu"))


class RepeatedFaces:
    """An array of any number of faces that stores only a few."""

    def __init__(self, drawn: np.ndarray, count: int) -> None:
        self.drawn, self.shape = drawn, (count, *drawn.shape[1:])

    def __getitem__(self, index: int) -> np.ndarray:
        """One face, as from an array."""
        return self.drawn[index % len(self.drawn)]


def by_processes(preset: str, precision: str, counts: list[int]) -> dict[str, object]:
    """Median seconds per step of short runs under torchrun, from their logs."""
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        for count in counts:
            out = Path(name, str(count))
            words = ["-m", "torch.distributed.run", "--nproc-per-node", str(count), "-m", "srcli", "train"]
            settings = [f"training.steps={RUN_STEPS}", "training.evaluate_faces=1"]
            words += ["--preset", preset, "--precision", precision, "--out", str(out)]
            words += [word for setting in settings for word in ("--set", setting)]
            subprocess.run([sys.executable, *words], check=True, capture_output=True)
            lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
            batch_size = load_experiment(preset_path(preset)).training.batch_size
            steps = [batch_size / line["images_per_second"] for line in lines[1:]]
            figures[f"seconds_{count}_processes"] = statistics.median(steps)
    return figures


if __name__ == "__main__":
    main()
