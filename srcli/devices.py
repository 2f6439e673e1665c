"""Choosing the device that networks run on."""

from pathlib import Path

import torch

from srcli.errors import UserError


def choose_device(name: str) -> torch.device:
    """The device called `name`; `auto` is the GPU if there is one, else the CPU.

    Raises:
        UserError: There is no such device, or not on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].split(". ")[0].rstrip(".")
        raise UserError(f"--device {name} cannot be used: {reason}", "Try auto, cpu or cuda.") from None
    return device


def has_bf16_units(device: torch.device, cpu_info: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether a device multiplies bfloat16 matrices itself, instead of converting them to float32 first.

    Of processors this is known on Linux, where the kernel lists their features; elsewhere the answer is no.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    try:
        features = set(cpu_info.read_text(encoding="ascii", errors="replace").split())
    except OSError:
        return False
    return device.type == "cpu" and not features.isdisjoint({"amx_bf16", "avx512_bf16"})
