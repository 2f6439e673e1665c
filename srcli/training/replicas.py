"""Training on several processes, as torchrun starts them: each has the networks and its rows of a batch.

Gradients are averaged by hand after `backward` instead of by DistributedDataParallel: a critic's loss holds
several passes and, under a penalty, a gradient of its own, which DDP's hooks do not expect; and the same few
lines serve every objective. A loss is a mean over samples and all ranks have as many rows, so the mean of the
ranks' losses and gradients is the whole batch's.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from srcli.devices import choose_device
from srcli.errors import LostProcessError, OtherProcessError, RunError, UserError
from srcli.processes import ALONE, Share, read_local_rank

START_TIMEOUT = timedelta(minutes=10)
"""How long the slowest process may take to import, open its data and read a checkpoint."""

STEP_TIMEOUT = timedelta(seconds=50)
"""How long a process may keep the others waiting in a step, for a checkpoint to be written above all."""

BUCKET_VALUES = 2**22
"""Gradients travel in pieces of 16 MiB, so that one is copied while another is under way."""


@dataclass(frozen=True)
class Replicas:
    """This process among those that train together, or the only one.

    Attributes:
        group: The processes in a step, on the device's fastest way; None when alone.
    """

    share: Share = ALONE
    group: dist.ProcessGroup | None = None

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and talks."""
        return self.share.rank == 0

    @property
    def count(self) -> int:
        """How many processes train together."""
        return self.share.count

    def average(self, values: Tensor) -> Tensor:
        """The mean over all processes, the same on each of them, without gradients.

        Raises:
            LostProcessError: Another process is gone, here and below.
        """
        total = values.detach().clone(memory_format=torch.contiguous_format)
        with _noticing_losses():
            dist.all_reduce(total, group=self.group)
        return total.div_(self.count)

    def average_gradients(self, network: nn.Module) -> None:
        """Puts the mean over all processes in the place of every parameter's gradient."""
        if self.share.is_whole:
            return
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        with _noticing_losses():
            under_way = []
            for bucket in _buckets(gradients):
                flat = torch.cat([gradient.flatten() for gradient in bucket])
                under_way.append((bucket, flat, dist.all_reduce(flat, group=self.group, async_op=True)))
            for bucket, flat, work in under_way:
                work.wait()
                parts = flat.div_(self.count).split([gradient.numel() for gradient in bucket])
                for gradient, part in zip(bucket, parts, strict=True):
                    gradient.copy_(part.view_as(gradient))

    def average_terms(self, terms: Mapping[str, Tensor]) -> dict[str, float]:
        """The means of scalars by their names."""
        if self.share.is_whole:
            return {name: value.item() for name, value in terms.items()}
        values = torch.stack([value.detach().float() for value in terms.values()])
        return dict(zip(terms, self.average(values).tolist(), strict=True))

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether the flag is set on any process."""
        if self.share.is_whole:
            return flag
        return bool(self.average(torch.tensor(float(flag), device=device)) > 0)

    def gather(self, text: str) -> list[str]:
        """A text of every process by its rank."""
        if self.share.is_whole:
            return [text]
        with _noticing_losses():
            encoded = torch.frombuffer(bytearray(text.encode() + b"\0"), dtype=torch.uint8)
            sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.count)]
            dist.all_gather(sizes, torch.tensor([len(encoded)]))
            longest = max(int(size) for size in sizes)
            padded = torch.cat([encoded, torch.zeros(longest - len(encoded), dtype=torch.uint8)])
            texts = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.count)]
            dist.all_gather(texts, padded)
        return [bytes(text.tolist()).split(b"\0", 1)[0].decode() for text in texts]

    @contextmanager
    def together(self) -> Iterator[None]:
        """A block that ends when all processes have ended it, and fails on all when it fails on one.

        Raises:
            OtherProcessError: It failed on another process, which raises the error itself.
        """
        if self.share.is_whole:
            yield
            return
        problem: UserError | OSError | None = None
        try:
            yield
        except (UserError, OSError) as error:
            problem = error
        failed = [rank for rank, text in enumerate(self.gather("failed" if problem else "")) if text]
        if problem is not None and failed[0] == self.share.rank:
            raise problem
        if failed:
            raise OtherProcessError(f"rank {failed[0]} could not go on", "Its own message says why.")

    def require_same(self, things: Mapping[str, str]) -> None:
        """Makes sure that all processes have the same things, by their names.

        Raises:
            RunError: Some process has others than the first; on all processes at once.
        """
        with self.together():
            for name, value in things.items():
                values = self.gather(value)
                others = [rank for rank, other in enumerate(values) if other != values[0]]
                if others:
                    raise RunError(f"rank {others[0]} has other {name} than rank 0: all need the same")


SINGLE_PROCESS = Replicas()


@contextmanager
def joining(share: Share, device: str) -> Iterator[tuple[Replicas, torch.device]]:
    """Joins the processes that torchrun started, and gives the device this one trains on.

    Args:
        share: Which of the processes this is.
        device: As `devices.choose_device` takes it; of several GPUs, each process has the one of its number.

    Raises:
        UserError: The device cannot be used, or the processes do not find each other.
    """
    if share.is_whole:
        yield SINGLE_PROCESS, choose_device(device)
        return
    try:
        store, rank, count = next(rendezvous("env://", share.rank, share.count, timeout=START_TIMEOUT))
        # torchrun keeps its store when it starts processes again, with the addresses of those that died.
        store = PrefixStore(f"start-{restarts()}", store)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=count, timeout=START_TIMEOUT)
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"the {share.count} processes do not find each other: {_reason(error)}",
            "Start them with torchrun, or unset RANK and WORLD_SIZE.",
        ) from None
    try:
        joined = Replicas(share)
        with joined.together():
            chosen = _local_device(device)
        joined.require_same({"kinds of device": chosen.type, "versions of torch": torch.__version__})
        with _noticing_losses():
            backend = "nccl" if chosen.type == "cuda" else "gloo"
            group = dist.new_group(backend=backend, timeout=STEP_TIMEOUT)
        assert isinstance(group, dist.ProcessGroup)
        yield Replicas(share, group), chosen
    finally:
        dist.destroy_process_group()


def restarts() -> int:
    """How often torchrun has started these processes again after one of them failed."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


def most_restarts() -> int:
    """How often torchrun was told to start these processes again when one of them fails."""
    return int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0"))


def _local_device(name: str) -> torch.device:
    if name == "cuda" or (name == "auto" and torch.cuda.is_available()):
        chosen = choose_device(f"cuda:{read_local_rank()}")
        torch.cuda.set_device(chosen)
        return chosen
    return choose_device(name)


def _buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """The gradients in groups of at most `BUCKET_VALUES` values, or of one that has more."""
    bucket: list[Tensor] = []
    for gradient in gradients:
        if bucket and sum(map(torch.numel, bucket)) + gradient.numel() > BUCKET_VALUES:
            yield bucket
            bucket = []
        bucket.append(gradient)
    if bucket:
        yield bucket


@contextmanager
def _noticing_losses() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostProcessError(
            f"another process of this training ended or did not answer: {_reason(error)}",
            "If it left a message, that says why; --resume continues from the last checkpoint.",
        ) from error


def _reason(error: Exception) -> str:
    """The first sentence of what torch says, without the place in its source."""
    return str(error).splitlines()[0].rpartition("] ")[2].partition(". ")[0].rstrip(".")
