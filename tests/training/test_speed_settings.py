"""Optimisations change neither training's values nor processes that import srcli."""

import platform
import subprocess
import sys

import pytest
import torch

from srcli.optimizers import DenseAdam
from srcli.training.optimizer_state import load_state_tensors, state_tensors


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_adam_on_channels_last_weights_is_adam_whatever_the_gradients_layout(
    layout: torch.memory_format,
) -> None:
    random = torch.Generator().manual_seed(0)
    start = torch.randn(60, 40, 5, 5, generator=random)
    plain = torch.nn.Parameter(start.clone())
    dense = torch.nn.Parameter(start.to(memory_format=torch.channels_last, copy=True))
    settings = {"lr": 1e-2, "betas": (0.5, 0.9)}
    optimizers = [torch.optim.Adam([plain], **settings), DenseAdam([dense], **settings, fused=True)]
    for _ in range(3):
        plain.grad = torch.randn(start.shape, generator=random)
        dense.grad = plain.grad.to(memory_format=layout)
        for optimizer in optimizers:
            optimizer.step()
    assert torch.allclose(dense, plain, rtol=1e-6, atol=1e-7)
    assert dense.is_contiguous(memory_format=torch.channels_last)
    state, expected = (optimizer.state_dict()["state"][0] for optimizer in optimizers[::-1])
    assert state["exp_avg"].shape == start.shape
    assert torch.allclose(state["exp_avg_sq"], expected["exp_avg_sq"], rtol=1e-6, atol=1e-9)


def test_adam_goes_on_from_averages_of_another_layout() -> None:
    random = torch.Generator().manual_seed(0)
    start, *gradients = (torch.randn(6, 4, 5, 5, generator=random) for _ in range(3))
    plain, dense = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    optimizers = [torch.optim.Adam([plain]), DenseAdam([dense], fused=True)]
    for optimizer in optimizers:
        plain.grad, dense.grad = gradients[0].clone(), gradients[0].clone()
        optimizer.step()
    saved = state_tensors({"twin": optimizers[1]})
    turned = torch.nn.Parameter(dense.detach().to(memory_format=torch.channels_last))
    optimizers[1] = DenseAdam([turned], fused=True)
    load_state_tensors({"twin": optimizers[1]}, saved)
    plain.grad, turned.grad = gradients[1].clone(), gradients[1].to(memory_format=torch.channels_last)
    for optimizer in optimizers:
        optimizer.step()
    assert torch.allclose(turned, plain, rtol=1e-6, atol=1e-7)


@pytest.mark.long
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
def test_freed_blocks_are_kept_only_where_the_program_says_so() -> None:
    program = (
        "import ctypes, sys, srcli.cli.main, srcli.training.sessions\n"
        "from srcli.cli.memory import keep_freed_memory\n"
        "if sys.argv[1] == 'keep': keep_freed_memory()\n"
        "import resource, torch\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "take = lambda: [torch.ones(2**24).shape for _ in range(8)]\n"  # 64 MiB, more than glibc keeps itself
        "take(); before = faults(); take()\n"
        "print(faults() - before)\n"
    )
    taken = {
        how: int(subprocess.run([sys.executable, "-c", program, how], capture_output=True, check=True).stdout)
        for how in ("keep", "leave")
    }
    assert taken["keep"] < 100 < taken["leave"]
