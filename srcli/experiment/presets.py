"""The presets, plans and example faces that come with srcli."""

import difflib
from pathlib import Path

from srcli.errors import ExperimentError
from srcli.storage.atomic import write_text
from srcli.storage.shipped import shipped_folder


def example_faces() -> list[Path]:
    """The paths of the example faces, 64x64 PNGs, sorted by name."""
    return sorted((shipped_folder("examples") / "faces").glob("*.png"))


def preset_names() -> list[str]:
    """The sorted names of all presets; a name is the file's without `.yaml`."""
    return _names("presets")


def _names(folder: str) -> list[str]:
    return sorted(path.stem for path in shipped_folder(folder).glob("*.yaml"))


def preset_path(name: str) -> Path:
    """The file of the preset called `name`.

    Raises:
        ExperimentError: There is no such preset.
    """
    is_file = f"To train the file: srcli train {name}" if Path(name).is_file() else ""
    return _find(name, "preset", is_file or "`srcli presets list` lists them all.")


def experiment_path(path: Path) -> Path:
    """Checks the path of an experiment file.

    Raises:
        ExperimentError: It does not exist, or is a run.
    """
    if (path / "run.json").exists():
        raise ExperimentError(
            f"{path} is a run, not an experiment file", f"Continue it with --resume {path}."
        )
    if path.exists():
        return path
    name = path.name.removesuffix(".yaml")
    if name in preset_names():
        raise ExperimentError(f"{path} is not a file but a preset", f"Train it with --preset {name}.")
    similar = difflib.get_close_matches(name, preset_names(), n=1)
    question = f"Did you mean --preset {similar[0]}? " if similar else ""
    hint = f"{question}Give a file or --preset NAME; `srcli presets list` lists all presets."
    raise ExperimentError(f"{path} does not exist", hint)


def plan_path(name: str) -> Path:
    """The file of the plan called `name`.

    Raises:
        ExperimentError: There is no such plan.
    """
    return _find(name, "plan", f"Plans are {', '.join(_names('plans'))}, or the path of a .yaml file.")


def _find(name: str, kind: str, hint: str) -> Path:
    names = _names(f"{kind}s")
    if name in names:
        return shipped_folder(f"{kind}s") / f"{name}.yaml"
    similar = difflib.get_close_matches(name, names, n=1)
    question = f"Did you mean {similar[0]}? " if similar else ""
    raise ExperimentError(f"there is no {kind} called {name!r}", f"{question}{hint}")


def preset_description(path: Path) -> str:
    """A preset's description: the first line of its head comment; empty if there is none."""
    first_line = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    return first_line.lstrip("#").strip() if first_line.startswith("#") else ""


def copy_preset(name: str, destination: str) -> Path:
    """Copies a preset to a new file, or into a folder: an existing one, or one given with a trailing `/`.

    Raises:
        ExperimentError: There is no such preset, or the file already exists.
    """
    source, target = preset_path(name), Path(destination)
    if destination.endswith("/") or target.is_dir():
        target /= source.name
    if target.exists():
        raise ExperimentError(f"{target} already exists", "Give another name.")
    write_text(target, source.read_text(encoding="utf-8"))
    return target
