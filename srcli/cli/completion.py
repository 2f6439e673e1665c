"""What a shell offers for presets, runs, models and topics when Tab is pressed.

Where nothing is offered, shells complete file names.
"""

import glob

from srcli.cli.topics import title_of, topics
from srcli.experiment.presets import preset_description, preset_names, preset_path
from srcli.generators.bundled import BUNDLED

Offers = list[tuple[str, str]]
"""Words that begin with what was typed, each with a remark, which may be empty."""

WEIGHT_FILES = (".safetensors", ".onnx")


def complete_preset(incomplete: str) -> Offers:
    """The presets, described."""
    names = [name for name in preset_names() if name.startswith(incomplete)]
    return [(name, preset_description(preset_path(name))) for name in names]


def complete_run(incomplete: str) -> Offers:
    """The runs at what was typed, and in the folders there: with nothing typed, also those in `runs`."""
    start = glob.escape(incomplete)
    records = {record for depth in ("*", "*/*") for record in _there(f"{start}{depth}/run.json")}
    return [(record.removesuffix("/run.json"), "") for record in sorted(records)]


def complete_model(incomplete: str) -> Offers:
    """The bundled models, runs, and weight files."""
    bundled = [(name, "bundled") for name in BUNDLED if name.startswith(incomplete)]
    files = [name for name in _there(f"{glob.escape(incomplete)}*") if name.endswith(WEIGHT_FILES)]
    return [*bundled, *complete_run(incomplete), *((name, "") for name in files)]


def complete_topic(incomplete: str) -> Offers:
    """The topics of `srcli help`, with their titles."""
    return [(name, title_of(path)) for name, path in topics().items() if name.startswith(incomplete)]


def _there(pattern: str) -> list[str]:
    """What matches a pattern, as it was typed: of `./x`, pathlib would drop the beginning."""
    return sorted(glob.glob(pattern))  # noqa: PTH207
