"""The presets that come with srcli: where they lie, what they are called, what they say of themselves."""

import difflib
from pathlib import Path

from srcli.errors import ExperimentError
from srcli.runs import write_text


def presets_folder() -> Path:
    """The folder of the preset files: inside the installed package, else the checkout's `presets/`."""
    installed = Path(__file__).parent / "presets"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "presets"


def preset_names() -> list[str]:
    """The names of all presets, sorted; a preset's name is its file's name without `.yaml`."""
    return sorted(path.stem for path in presets_folder().glob("*.yaml"))


def preset_path(name: str) -> Path:
    """The file of the preset called `name`.

    Raises:
        ExperimentError: There is no such preset.
    """
    names = preset_names()
    if name in names:
        return presets_folder() / f"{name}.yaml"
    similar = difflib.get_close_matches(name, names, n=1)
    question = f"Did you mean {similar[0]}? " if similar else ""
    raise ExperimentError(
        f"there is no preset called {name!r}", f"{question}`srcli presets list` lists them all."
    )


def preset_description(path: Path) -> str:
    """What a preset says of itself: the first line of its head comment, or nothing if it has none."""
    first_line = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    return first_line.lstrip("#").strip() if first_line.startswith("#") else ""


def copy_preset(name: str, destination: str) -> Path:
    """Copies a preset's file to a new file, or into a folder: one that is there, or one given with a `/`.

    Returns:
        Where the copy lies.

    Raises:
        ExperimentError: There is no such preset, or the file is already there.
    """
    source, target = preset_path(name), Path(destination)
    if destination.endswith("/") or target.is_dir():
        target /= source.name
    if target.exists():
        raise ExperimentError(f"{target} already exists", "Give another name.")
    write_text(target, source.read_text(encoding="utf-8"))
    return target
