"""Loading the generator for `upscale`."""

from srcli.errors import UserError
from srcli.generators.description import Generator
from srcli.generators.loading import load_generator


def load_upscaler(model: str, device: str) -> Generator:
    """Loads a generator that enlarges pictures.

    Args:
        model: A bundled model's name, a run or a weight file, as for `load_generator`.
        device: `auto` (the first GPU, else the CPU), or torch's name of a device.

    Raises:
        UserError: The model draws faces from noise, or the device cannot be used.
        CheckpointError: There is no such model, or its weights cannot be read.
    """
    generator = load_generator(model, device)
    if generator.description.takes_noise:
        raise UserError(
            f"{model} draws faces from noise and cannot enlarge pictures",
            "Give a model that enlarges pictures, for example faces.",
        )
    return generator
