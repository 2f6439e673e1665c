"""The state of training: networks, optimisers and the step; built from an experiment, saved, restored."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from srcli.console import warn
from srcli.errors import CheckpointError, ExperimentError
from srcli.experiment.schema import Experiment
from srcli.generators.on_torch import load_torch_generator
from srcli.models.shapes import MAX_PARAMETERS, tensors_of
from srcli.runs.checkpoints import (
    CRITIC_FILE,
    EMA_FILE,
    GENERATOR_FILE,
    RESUME_FILE,
    load_weights,
    newest_readable,
    read_resume,
    read_weights,
    write_checkpoint,
)
from srcli.runs.directory import RunDirectory
from srcli.runs.log import logged_steps
from srcli.storage.checksums import check_files
from srcli.training.batch_norm import synchronize
from srcli.training.optimizer_state import expected_tensors, load_state_tensors, state_tensors
from srcli.training.replicas import SINGLE_PROCESS, Replicas


@dataclass
class TrainingState:
    """The networks and optimisers after `step` generator updates.

    Attributes:
        average: The exponential moving average of the generator; None where the experiment keeps none.
        critic: None, and its optimiser, where the objective has no adversary.
        replicas: The processes that train this state together; each has a copy of it.
    """

    experiment: Experiment
    device: torch.device
    step: int
    generator: nn.Module
    critic: nn.Module | None
    average: nn.Module | None
    generator_optimizer: torch.optim.Optimizer
    critic_optimizer: torch.optim.Optimizer | None
    replicas: Replicas = SINGLE_PROCESS

    @property
    def best_generator(self) -> nn.Module:
        """The generator to look at and to keep: the moving average where there is one."""
        return self.generator if self.average is None else self.average

    def networks(self) -> dict[str, nn.Module]:
        """The networks by the name of their weight file."""
        files = {GENERATOR_FILE: self.generator, CRITIC_FILE: self.critic, EMA_FILE: self.average}
        return {name: network for name, network in files.items() if network is not None}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimisers by the name under which they are saved."""
        both = {"generator_optimizer": self.generator_optimizer, "critic_optimizer": self.critic_optimizer}
        return {name: optimizer for name, optimizer in both.items() if optimizer is not None}

    def set_learning_rates(self) -> None:
        """Gives the optimisers the learning rate of the coming step."""
        rate = self.experiment.optimizer.rate(self.step, self.experiment.training.steps)
        for optimizer in self.optimizers().values():
            for group in optimizer.param_groups:
                group["lr"] = rate

    def autocast(self) -> torch.autocast:
        """The context in which networks run: bfloat16 where the experiment says so."""
        bf16 = self.experiment.training.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=bf16)

    @torch.no_grad()
    def update_average(self) -> None:
        """Moves the average towards the generator by 1 - ema_decay; counts and statistics are copied."""
        if self.average is None:
            return
        averaged = dict(self.average.named_parameters())
        for name, value in self.generator.named_parameters():
            averaged[name].lerp_(value, 1 - self.experiment.training.ema_decay)
        for old, new in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            old.copy_(new)


def build_state(
    experiment: Experiment, device: torch.device, replicas: Replicas = SINGLE_PROCESS
) -> TrainingState:
    """A new state at step 0; initial weights depend on the experiment's seed alone.

    Raises:
        ExperimentError: A network would be larger than any that is trained here.
    """
    refuse_large_networks(experiment)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(experiment.training.seed)
        generator = experiment.generator.build(experiment.task)
        critic = None if experiment.critic is None else experiment.critic.build(experiment.task).to(device)
    average = None
    if experiment.training.ema_decay > 0:
        average = experiment.generator.build(experiment.task).requires_grad_(False)
        average.load_state_dict(generator.state_dict())
        average.to(device).eval()
    generator.to(device)
    if replicas.count > 1:
        for network in filter(None, (generator, critic)):
            synchronize(network, replicas)
    generator_optimizer = experiment.optimizer.build(generator.parameters())
    critic_optimizer = None if critic is None else experiment.optimizer.build(critic.parameters())
    return TrainingState(
        experiment, device, 0, generator, critic, average, generator_optimizer, critic_optimizer, replicas
    )


def refuse_large_networks(experiment: Experiment) -> None:
    """Refuses experiments whose networks would not fit a machine, before their memory is asked for.

    Raises:
        ExperimentError: A network would have over `MAX_PARAMETERS` parameters.
    """
    for part, settings in (("generator", experiment.generator), ("critic", experiment.critic)):
        tensors = tensors_of(settings, experiment.task) if settings else {}
        parameters = sum(tensor.numel() for tensor in tensors.values())
        if parameters > MAX_PARAMETERS:
            raise ExperimentError(
                f"{part}: this network has {parameters:,} parameters, over {MAX_PARAMETERS:,}",
                "Choose a smaller width or fewer layers.",
            )


def first_state(experiment: Experiment, device: torch.device, replicas: Replicas) -> TrainingState:
    """The state of a run at step 0, with the generator of `training.init_from` if there is one.

    Raises:
        CheckpointError: Nothing usable is at `init_from`, or its generator has other settings.
        ExperimentError: A network would be larger than any that is trained here.
    """
    state = build_state(experiment, device, replicas)
    if experiment.training.init_from is not None:
        start_from(state, Path(experiment.training.init_from))
    return state


def start_from(state: TrainingState, source: Path) -> None:
    """Loads another run's generator into a new state, and into its moving average.

    Raises:
        CheckpointError: Nothing usable is there, or its generator has other settings or another task's sizes.
    """
    other = load_torch_generator(source)
    if other.description.experiment["generator"] != state.experiment.generator.model_dump(mode="json"):
        raise CheckpointError(f"training.init_from: the generator of {source} has other settings")
    weights = other.network.state_dict()
    shapes = {name: tensor.shape for name, tensor in state.generator.state_dict().items()}
    if {name: tensor.shape for name, tensor in weights.items()} != shapes:
        raise CheckpointError(f"training.init_from: the generator of {source} makes {other.description.task}")
    for network in (state.generator, state.average):
        if network is not None:
            network.load_state_dict(weights)


def save_state(run: RunDirectory, state: TrainingState) -> None:
    """Writes a checkpoint of the state, unless this step has one or another process keeps the run."""
    if run.is_kept:
        resume = state_tensors(state.optimizers())
        write_checkpoint(run, state.experiment, state.step, state.networks(), resume)


def restore_state(
    run: RunDirectory, experiment: Experiment, device: torch.device, replicas: Replicas = SINGLE_PROCESS
) -> TrainingState:
    """The state of the run's newest whole checkpoint; a new state where there is none yet.

    A checkpoint that is newer than the log's end comes last: the steps between would never be logged.

    Raises:
        CheckpointError: No checkpoint is whole and fits the experiment.
    """
    state = build_state(experiment, device, replicas)
    logged, steps = logged_steps(run.metrics_file), run.checkpoint_steps()
    if steps:
        steps.sort(key=lambda step: (step <= logged, step), reverse=True)
        state.step = newest_readable(run, steps, lambda folder: _load(state, folder))
        if state.step > logged:
            warn(f"{run.metrics_file} lacks steps {logged + 1} to {state.step}")
        elif max(steps) > logged:
            warn(f"{run.metrics_file} ends at step {logged}; taking the checkpoint of step {state.step}")
    elif experiment.training.init_from is not None:
        raise CheckpointError(
            f"{run.path} has lost its first checkpoint, which held the generator it began with",
            "Start a new run.",
        )
    return state


def _load(state: TrainingState, folder: Path) -> int:
    """Loads a checkpoint into a state and returns its step."""
    check_files(folder, [*state.networks(), RESUME_FILE])
    step = -1
    for name, network in state.networks().items():
        tensors, description = read_weights(folder / name)
        load_weights(network, tensors, folder / name)
        step = description.step
    if step == 0:  # optimisers start with their first step
        return step
    expected = expected_tensors(state.optimizers(), state.experiment.optimizer)
    load_state_tensors(state.optimizers(), read_resume(folder, expected))
    return step


def weights_digest(state: TrainingState) -> str:
    """SHA-256 over the step and all networks' weights, in hexadecimal."""
    digest = hashlib.sha256(f"step {state.step}".encode())
    for network in state.networks().values():
        for tensor in network.state_dict().values():
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def random_for(seed: int, *numbers: int) -> torch.Generator:
    """A CPU random generator that is a function of the seed and the numbers alone."""
    sequence = np.random.SeedSequence((seed, *numbers))
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1)))


def draw_noise(state: TrainingState, count: int, random: torch.Generator) -> Tensor:
    """Standard normal noise (count, noise size) for the state's generator, on its device."""
    size = state.experiment.sizes.noise_size
    assert size is not None
    return torch.randn(count, size, generator=random).to(state.device)


@contextmanager
def frozen(network: nn.Module | None) -> Iterator[None]:
    """A block in which the network's parameters need no gradients; gradients still flow through it."""
    if network is None:
        yield
        return
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
