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
    from srcli.devices import choose_device

    generator = load_generator(model, str(choose_device(device)))
    if generator.takes_noise:
        raise UserError(
            f"{model} draws faces from noise and enlarges nothing",
            "Give a model that takes pictures, for example one of the preset resnet-wgangp.",
        )
    return generator
