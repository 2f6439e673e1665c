"""Which generator enlarges."""

from srcli.errors import UserError
from srcli.generators.description import Generator
from srcli.generators.loading import load_generator


def load_upscaler(model: str, device: str) -> Generator:
    """A generator that enlarges pictures.

    Args:
        model: A bundled model's name, a run or a weight file, as `generators.load_generator` takes it.
        device: `auto` (the first GPU, else the CPU), or a device as torch calls it.

    Raises:
        UserError: It makes faces from noise, or the device cannot be used.
        CheckpointError: There is no such model, or its weights cannot be read.
    """
    generator = load_generator(model, device)
    if generator.description.takes_noise:
        raise UserError(
            f"{model} draws faces from noise and enlarges nothing",
            "Give a model that takes pictures, for example faces.",
        )
    return generator
