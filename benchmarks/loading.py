"""Training images loaded per second from a packed dataset, with all augmentation.

    python benchmarks/loading.py --data celeba --train-preset mlp-wgangp

With --train-preset, that preset's training rate is measured in turn for comparison.
"""

from pathlib import Path

import torch
from contender import Contender
from reporting import arguments, median_ratio, seconds_of, show, time_in_turn

from srcli.cli.memory import keep_freed_memory
from srcli.data.batches import TrainingBatches
from srcli.experiment.loading import load_experiment
from srcli.experiment.presets import preset_path
from srcli.training.sessions import load_dataset
from srcli.training.step import BATCHES_PER_PASS

IMAGES = 8192


def main() -> None:
    """Runs the benchmark."""
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="a prepared dataset; drawn faces without it")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--train-preset", help="a preset whose training is also timed")
    options = parser.parse_args()
    keep_freed_memory()  # as `srcli train` does
    experiment = load_experiment(preset_path(options.train_preset or "mlp-wgangp"))
    dataset = load_dataset([options.data] if options.data else [])
    batches = TrainingBatches(dataset, experiment.augmentation, options.batch_size, seed=0)
    count = IMAGES // options.batch_size

    def load(together: int) -> None:
        for start in range(0, count, together):
            batches.batches(range(start, start + together), torch.device("cpu"))

    actions = {
        "loading": lambda: seconds_of(lambda: load(BATCHES_PER_PASS)) / IMAGES,
        "one_by_one": lambda: seconds_of(lambda: load(1)) / IMAGES,
    }
    if options.train_preset:
        contender = Contender(options.train_preset, "fp32", options.batch_size, options.data)
        # A training step takes a batch for each of its critic updates.
        actions["training"] = lambda: seconds_of(contender.step) / options.batch_size
    seconds = time_in_turn(actions, options.rounds)
    rates = {name: 1 / sorted(values)[len(values) // 2] for name, values in seconds.items()}
    figures: dict[str, object] = {f"{name}_images_per_second": rate for name, rate in rates.items()}
    if options.train_preset:
        figures["times_training"] = median_ratio(seconds["training"], seconds["loading"])
    show({"batch_size": options.batch_size, **figures}, options.json)


if __name__ == "__main__":
    main()
