"""A dry run: what an experiment would take, measured on this machine, without training anything."""

import resource
import statistics
import sys
import time

import torch
from torch import nn

from srcli.data.dataset import Dataset
from srcli.experiment.schema import Experiment
from srcli.training.evaluate import choose_test_faces
from srcli.training.loop import training_batches
from srcli.training.replicas import Replicas
from srcli.training.state import first_state
from srcli.training.step import train_step

TIMED_STEPS = 3


def rehearse(experiment: Experiment, dataset: Dataset, device: torch.device, replicas: Replicas) -> list[str]:
    """Runs a few steps on networks that are thrown away: one to warm up, then the timed ones.

    Returns:
        What was counted and measured, a line each: the median seconds of a generator update with its critic
        updates, and of all of them without evaluations; the peak memory of the device on a GPU, else of the
        whole process.

    Raises:
        UserError: Whatever a run would be refused for before its first step.
    """
    with replicas.together():
        state = first_state(experiment, device, replicas)
        batches = training_batches(state, dataset)
        choose_test_faces(dataset, experiment.training.evaluate_faces, experiment.task)
    seconds = []
    for _ in range(1 + TIMED_STEPS):
        before = time.perf_counter()
        train_step(state, batches)
        seconds.append(time.perf_counter() - before)
    step_seconds = statistics.median(seconds[1:])
    return [
        f"generator parameters: {_parameters(state.generator):,}",
        f"critic parameters:    {_parameters(state.critic):,}",
        f"peak memory:          {_peak_memory(device) / 2**20:,.0f} MiB",
        f"seconds per step:     {step_seconds:.3g}",
        f"time for all steps:   {duration(step_seconds * experiment.training.steps)}",
    ]


def _parameters(network: nn.Module | None) -> int:
    return 0 if network is None else sum(weight.numel() for weight in network.parameters())


def duration(seconds: float) -> str:
    """Seconds as a person says them: 95 -> `1 min 35 s`."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{seconds:.2g} s"


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
