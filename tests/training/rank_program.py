"""The program that `test_replicas.py` runs on every rank; writes its results to `rank-N.json`.

python rank_program.py FOLDER 2 4     # -> FOLDER/2/rank-0.json ...
"""

import contextlib
import json
import math
import os
import socket
import sys
from pathlib import Path

import torch
from float64 import exact_batches, exact_experiment, in_float64
from tiny_experiments import pack_faces, small_dataset, small_experiment
from torch import nn

from srcli.data.dataset import open_dataset
from srcli.errors import DataError, LostProcessError, UserError
from srcli.processes import read_share
from srcli.runs.directory import RunDirectory, create_run
from srcli.storage.bounded import JsonObject
from srcli.training.batch_norm import synchronize
from srcli.training.evaluate import choose_test_faces, evaluate
from srcli.training.replicas import SINGLE_PROCESS, Replicas, joining
from srcli.training.sessions import resume_run
from srcli.training.state import build_state, weights_digest
from srcli.training.step import Terms, train_step

CASES = ("gan dcgan", "wgan mlp", "wgan-gp resnet", "pixel residual", "wgan noise", "wgan-gp noise")
STEPS = 4
CPU = torch.device("cpu")


def gradient_norm(network: nn.Module) -> float:
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    return math.hypot(*(float(gradient.norm()) for gradient in gradients))


def losses(case: str, replicas: Replicas = SINGLE_PROCESS) -> tuple[list[Terms], Terms, str]:
    """The terms of the first steps, figures of the networks after them, and the weights' digest."""
    with in_float64():
        state = build_state(exact_experiment(case), CPU, replicas)
        networks = {"generator": state.generator} | ({"critic": state.critic} if state.critic else {})
        batches, terms = exact_batches(state), []
        for _ in range(STEPS):
            terms.append(train_step(state, batches))
            # Adam and RMSProp hide a wrong scale of the gradients.
            terms[-1] |= {f"{role}_gradient": gradient_norm(network) for role, network in networks.items()}
    for network in networks.values():
        network.to(torch.float32)  # as pictures come
    figures = evaluate(state, choose_test_faces(small_dataset(), 4))
    for role, network in networks.items():
        figures |= {f"{role}.{name}": value.sum().item() for name, value in network.named_buffers()}
    return terms, figures, weights_digest(state)


def normalize(replicas: Replicas) -> dict[str, list[float]]:
    """Outputs, first and second derivatives of batch normalisation in double precision; this rank's rows."""
    random = torch.Generator().manual_seed(0)
    draws = torch.randn(3, 8, 2, 3, 3, generator=random, dtype=torch.float64) * 3 + 20
    rows = replicas.share.rows(8)
    images, weights, directions = (part[rows].clone() for part in draws)
    network = nn.Sequential(nn.BatchNorm2d(2)).double()
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([0.5, 2.0]))
    if replicas.count > 1:
        synchronize(network, replicas)
    images.requires_grad_(True)
    outputs = network(images)
    (first,) = torch.autograd.grad((outputs.pow(3) * weights).sum(), images, create_graph=True)
    (second,) = torch.autograd.grad((first * directions).sum(), images)
    return {"outputs": outputs.tolist(), "first": first.tolist(), "second": second.tolist()}


def outcome(replicas: Replicas, failing: set[int]) -> str:
    """The error on this rank when a block fails on some ranks."""
    try:
        with replicas.together():
            if replicas.share.rank in failing:
                raise DataError("no faces here")
    except UserError as error:
        return f"{type(error).__name__}: {error}"
    return "passed"


def sameness(replicas: Replicas) -> str:
    """The error on this rank when ranks differ."""
    try:
        replicas.require_same({"names": "equal", "faces": str(replicas.share.rank // 2)})
    except UserError as error:
        return f"{type(error).__name__}: {error}"
    return "passed"


def abandoned(run: RunDirectory, data: Path, replicas: Replicas) -> JsonObject:
    """What rank 0 records of a run that it resumes and the others do not."""
    with contextlib.suppress(LostProcessError):
        resume_run(run.path, [], [data], CPU, replicas)
    return run.record()


def main(folder: Path) -> None:
    with joining(read_share(), "cpu") as (replicas, _):
        results = {
            "losses": {case: losses(case, replicas) for case in CASES},
            "normalized": normalize(replicas),
            "passing": outcome(replicas, set()),
            "failing": outcome(replicas, {1, 3}),
            "same": sameness(replicas),
            "gathered": replicas.gather("é" * replicas.share.rank),
            "any": [replicas.any(replicas.share.rank == wanted, CPU) for wanted in (1, 9)],
        }
        if replicas.is_first:
            data = pack_faces(folder)
            record = {"status": "running", "dataset": {"fingerprint": open_dataset(data).fingerprint}}
            run = create_run(folder / "run", small_experiment().to_yaml(), record)
            results["abandoned"] = abandoned(run, data, replicas)
        (folder / f"rank-{replicas.share.rank}.json").write_text(json.dumps(results))


def start_ranks(count: int, folder: Path) -> list[int]:
    """Forks the ranks, which spares each of them the import of torch; returns their process ids."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ.update(WORLD_SIZE=str(count), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    started = []
    for rank in range(count):
        child = os.fork()
        if child == 0:
            os.environ["RANK"] = str(rank)
            main(folder)
            os._exit(0)
        started.append(child)
    return started


if __name__ == "__main__":
    torch.set_num_threads(1)
    for text in sys.argv[2:]:
        place = Path(sys.argv[1]) / text
        place.mkdir()
        ends = [os.waitpid(child, 0)[1] for child in start_ranks(int(text), place)]
        assert not any(ends), ends
