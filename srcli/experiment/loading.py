"""Loading experiments, overriding settings, and comparing two experiments."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from srcli.errors import ExperimentError
from srcli.experiment.mistakes import validate
from srcli.experiment.paper_defaults import with_paper_defaults
from srcli.experiment.schema import Experiment
from srcli.experiment.yaml_text import Document, parse_value, read_file


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Loads an experiment file; its name defaults to the file's.

    Missing settings default to the paper's, where the paper states them.

    Args:
        overrides: `a.b=value` settings, values in YAML, applied before validation.

    Raises:
        ExperimentError: Lists every mistake in the file and the overrides, one per line.
    """
    document = read_file(path)
    values = {"name": path.stem, **document.values}
    return validate(Experiment, with_paper_defaults(_override(values, overrides)), document, overrides)


def override_experiment(experiment: Experiment, overrides: Sequence[str]) -> Experiment:
    """The experiment with `a.b=value` settings applied and validated."""
    document = Document(experiment.model_dump(mode="json"), "experiment", {})
    return validate(Experiment, _override(document.values, overrides), document, overrides)


def differences(old: Experiment, new: Experiment) -> dict[str, tuple[Any, Any]]:
    """The dotted paths where two experiments differ, with the old and new values."""
    before, after = _flatten(old.model_dump(mode="json")), _flatten(new.model_dump(mode="json"))
    pairs = {path: (before.get(path), after.get(path)) for path in (*before, *after)}
    return {path: (old_value, value) for path, (old_value, value) in pairs.items() if old_value != value}


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _override(values: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    changed = dict(values)
    for override in overrides:
        path, equals, text = override.partition("=")
        if not equals or not path:
            raise ExperimentError(f"--set {override} is not of the form a.b=value")
        *parents, last = path.split(".")
        node = changed
        for parent in parents:
            child = node.get(parent)
            node[parent] = dict(child) if isinstance(child, Mapping) else {}
            node = node[parent]
        node[last] = parse_value(text, f"--set {override}")
    return changed


def as_overrides(settings: Mapping[str, Any]) -> list[str]:
    """Settings as `--set` takes them; flow style, so that lists stay on one line."""
    return [f"{path}={_flow(value)}" for path, value in settings.items()]


def _flow(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_flow(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
