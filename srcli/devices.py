"""Choosing the device that networks run on."""

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
        reason = str(error).splitlines()[0].rstrip(".")
        raise UserError(f"--device {name} cannot be used: {reason}", "Try auto, cpu or cuda.") from None
    return device
