"""A dry run: what an experiment would take, measured on this machine, without training anything."""

import resource
import statistics
import sys
import time
from dataclasses import replace

import torch
from torch import nn

from srcli.data.batches import TrainingBatches
from srcli.data.dataset import Dataset
from srcli.devices import has_bf16_units
from srcli.drawn_faces.faces import built_in_dataset
from srcli.experiment.schema import Experiment
from srcli.training.evaluate import choose_test_faces
from srcli.training.loop import training_batches
from srcli.training.replicas import SINGLE_PROCESS, Replicas
from srcli.training.state import TrainingState, first_state
from srcli.training.step import train_step

TIMED_STEPS, ESTIMATED_STEPS = 3, 2
WORTH_IT = 1.1
"""How many times as fast a step in bf16 must be to be recommended, so that no noise is."""


def rehearse(experiment: Experiment, dataset: Dataset, device: torch.device, replicas: Replicas) -> list[str]:
    """Runs a few steps on networks that are thrown away: one to warm up, then the timed ones.

    Returns:
        What was counted and measured, a line each: the median seconds of a generator update with its critic
        updates, and of all of them without evaluations; the peak memory of the device on a GPU, else of the
        whole process; and, where the device has units for it, the seconds of a step in bf16.

    Raises:
        UserError: Whatever a run would be refused for before its first step.
    """
    with replicas.together():
        state = first_state(experiment, device, replicas)
        batches = training_batches(state, dataset)
        choose_test_faces(dataset, experiment.training.evaluate_faces, experiment.task)
    step_seconds = _step_seconds(state, batches, TIMED_STEPS)
    figures = [
        f"generator parameters: {_parameters(state.generator):,}",
        f"critic parameters:    {_parameters(state.critic):,}",
        f"peak memory:          {_peak_memory(device) / 2**20:,.0f} MiB",
        f"seconds per step:     {step_seconds:.3g}",
        f"time for all steps:   {duration(step_seconds * experiment.training.steps)}",
    ]
    lacks_units = replicas.any(not has_bf16_units(device), device)
    if experiment.training.precision == "fp32" and not lacks_units:
        figures.append(compare_bf16(step_seconds, _step_seconds(_in_bf16(state), batches, TIMED_STEPS)))
    return figures


def estimate_seconds(experiment: Experiment, device: torch.device) -> float:
    """About how long an experiment would train on drawn faces, from a step or two, without evaluations.

    The generator starts untrained, whatever `training.init_from` says: that changes no step's cost.
    """
    settings = experiment.training.model_copy(update={"init_from": None})
    untrained = experiment.model_copy(update={"training": settings})
    faces = built_in_dataset(2 * settings.batch_size, size=experiment.task.face_size)
    state = first_state(untrained, device, SINGLE_PROCESS)
    return settings.steps * _step_seconds(state, training_batches(state, faces), ESTIMATED_STEPS)


def compare_bf16(fp32_seconds: float, bf16_seconds: float) -> str:
    """What a step in bf16 would gain, in a line."""
    times = fp32_seconds / bf16_seconds
    verdict = f"{times:.1f} times as fast: --precision bf16" if times >= WORTH_IT else "hardly faster"
    return f"the same in bf16:     {bf16_seconds:.3g}, {verdict}"


def _in_bf16(state: TrainingState) -> TrainingState:
    settings = state.experiment.training.model_copy(update={"precision": "bf16"})
    return replace(state, experiment=state.experiment.model_copy(update={"training": settings}))


def _step_seconds(state: TrainingState, batches: TrainingBatches, count: int) -> float:
    """The median time of a step, after one to warm up; the state is trained by it."""
    seconds = []
    for _ in range(1 + count):
        before = time.perf_counter()
        train_step(state, batches)
        seconds.append(time.perf_counter() - before)
    return statistics.median(seconds[1:])


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
