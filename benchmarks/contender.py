"""A training step to be timed by `step_time.py` and `scaling.py`, with a breakdown of its time."""

import dataclasses
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from reporting import seconds_of
from textbook import CPU, Textbook
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from srcli.data.batches import Batch, TrainingBatches
from srcli.experiment.loading import load_experiment
from srcli.experiment.presets import preset_path
from srcli.training.loop import training_batches
from srcli.training.sessions import load_dataset
from srcli.training.state import build_state
from srcli.training.step import train_step

OPTIMIZERS = ("Optimizer.step#", "Optimizer.zero_grad#")
NORMALIZATIONS = ("native_batch_norm", "native_group_norm", "NormalizeGradient")
PROFILED_STEPS = 8


class Contender:
    """A repeatable training step, ours or the textbook's."""

    def __init__(
        self, preset: str, precision: str, batch_size: int, data: Path | None, *, textbook: bool = False
    ) -> None:
        sizes = [f"training.precision={precision}", f"training.batch_size={batch_size}"]
        self.experiment = load_experiment(preset_path(preset), sizes)
        self.state = build_state(self.experiment, CPU)
        batches = training_batches(self.state, load_dataset([data] if data else []))
        self.batches = TimedBatches(**{f.name: getattr(batches, f.name) for f in dataclasses.fields(batches)})
        self.textbook = Textbook(self.experiment, self.batches) if textbook else None

    def step(self) -> object:
        """One generator update with its critic updates."""
        return self.textbook.step() if self.textbook else train_step(self.state, self.batches)

    def peak_seconds(self, size: int) -> float:
        """The time of a product of two square matrices at this precision."""
        number_format = torch.bfloat16 if self.experiment.training.precision == "bf16" else torch.float32
        a, b = (torch.randn(size, size).to(number_format) for _ in range(2))
        out = torch.empty_like(a)
        torch.mm(a, b, out=out)
        return statistics.median(seconds_of(lambda: torch.mm(a, b, out=out)) for _ in range(3))

    def details(self) -> dict[str, float]:
        """The arithmetic of a step, and the fractions of its time spent otherwise."""
        return {"gflop": self._gflop(), **self._shares()}

    def _gflop(self) -> float:
        with CountedArithmetic() as counter:
            self.step()
        return counter.operations / 1e9

    def _shares(self) -> dict[str, float]:
        self.batches.waits.clear()
        seconds = sum(seconds_of(self.step) for _ in range(PROFILED_STEPS))
        waiting = sum(self.batches.waits) / seconds
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            profiled = seconds_of(self.step)
        spent = {"optimizers_share": 0.0, "normalization_share": 0.0}
        for event in profiler.key_averages():
            if event.key.startswith(OPTIMIZERS):
                spent["optimizers_share"] += event.cpu_time_total / 1e6 / profiled
            elif any(name in event.key for name in NORMALIZATIONS):
                spent["normalization_share"] += event.self_cpu_time_total / 1e6 / profiled
        return {"waiting_for_data_share": waiting, **spent}


class CountedArithmetic(TorchDispatchMode):
    """Counts multiplications and additions in a block, by the rules of `torch.utils.flop_counter`.

    Its own counter also keeps books of modules, which `autograd.grad` with respect to a leaf does not allow.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs one operation, counting matrix products and convolutions."""
        result = function(*args, **(kwargs or {}))
        rule = flop_registry.get(function._overloadpacket)
        if rule is not None:
            self.operations += rule(*args, **(kwargs or {}), out_val=result)
        return result


@dataclasses.dataclass(frozen=True)
class TimedBatches(TrainingBatches):
    """Batches that record how long making them takes."""

    waits: list[float] = dataclasses.field(default_factory=list)

    def batches(self, numbers: range, device: torch.device) -> list[Batch]:
        """Batches, timed."""
        started = time.perf_counter()
        batches = super().batches(numbers, device)
        self.waits.append(time.perf_counter() - started)
        return batches
