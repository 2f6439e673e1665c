"""Which weights enlarge, and where they run."""

from pathlib import Path
from typing import TYPE_CHECKING

from srcli.errors import UserError

if TYPE_CHECKING:
    from srcli.checkpoints import Generator


def load_upscaler(model: Path | None, device: str) -> "Generator":
    """The generator of a run or a weight file, ready to enlarge.

    Args:
        model: A run, a checkpoint or a weight file; None if the user gave none.
        device: `auto` (the first GPU, else the CPU), or a device as torch calls it.

    Raises:
        UserError: There is no model, it makes faces from noise, or the device cannot be used.
        CheckpointError: The weights cannot be read.
    """
    if model is None:
        raise UserError(
            "there is no model to enlarge with",
            "Train one, for example with `srcli train --preset mlp-wgangp`, and give its run:"
            " `--model runs/mlp-wgangp-1`.",
        )
    from srcli.checkpoints import load_generator

    generator = load_generator(model, _usable_device(device))
    if generator.takes_noise:
        raise UserError(
            f"{model} draws faces from noise and enlarges nothing",
            "Give a model that takes pictures, for example one of the preset resnet-wgangp.",
        )
    return generator


def _usable_device(name: str) -> str:
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    # An unknown name is a RuntimeError, a GPU that torch was not built for an AssertionError.
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UserError(f"the device {name} cannot be used: {reason}", "Give cpu, cuda or auto.") from None
    return name
