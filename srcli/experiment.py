"""An experiment: a validated preset. Reading it, changing it from the command line, telling what is wrong."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from srcli.data.degradation_settings import DegradationSettings
from srcli.data.images import LABEL_SIZE
from srcli.errors import ExperimentError
from srcli.experiment_text import MAX_CHARACTERS, Document, parse_value, read_document
from srcli.models import CriticSettings, GeneratorSettings
from srcli.objectives import Objective
from srcli.optimizers import OptimizerSettings
from srcli.reading import read_bounded

MAX_MISTAKES = 20
"""A file with more mistakes than this is no experiment; the rest are counted, not told."""

Model = TypeVar("Model", bound=BaseModel)

_Side = Annotated[int, Field(ge=LABEL_SIZE, le=10**6)]
_Count = Annotated[int, Field(ge=1, le=10**12)]


class Augmentation(BaseModel):
    """What is taken of each training face, at a random place, and how that is changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    horizontal_flip: bool
    brightness: float = Field(ge=0, le=1, description="added, drawn from [-b, b], for values in [0, 1]")
    contrast: float = Field(ge=0, lt=1, description="factor about the mean, drawn from [1 - c, 1 + c]")
    saturation: float = Field(ge=0, lt=1, description="factor about grey, drawn from [1 - s, 1 + s]")
    windows: Annotated[tuple[_Side, _Side], Field(strict=False)] = Field(
        default=(LABEL_SIZE, LABEL_SIZE),
        description="smallest and largest side, in stored pixels, of the squares that become 64x64 labels",
    )

    input_noise: float = Field(
        default=0.0, ge=0, le=1, description="deviation of noise added to the input, for values in [0, 1]"
    )
    degradation: DegradationSettings | None = Field(
        default=None, description="how inputs suffer, {} for what docs/degradation.md describes; null for not"
    )

    @field_validator("windows")
    @classmethod
    def _check_order(cls, windows: tuple[int, int]) -> tuple[int, int]:
        if windows[0] > windows[1]:
            raise ValueError("should name the smallest side first")
        return windows


class Training(BaseModel):
    """How long and how a run trains. A step is one generator update with its n_critic critic updates."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    steps: _Count
    batch_size: _Count
    seed: int = Field(ge=0, lt=2**64)
    precision: Literal["fp32", "bf16"] = "fp32"
    ema_decay: float = Field(ge=0, lt=1, description="moving average of the generator; 0 for none")
    init_from: str | None = Field(
        default=None, description="a run or weight file to start the generator from"
    )
    batch_norm_at_test: Literal["running", "batch"] = Field(
        default="running", description="statistics that evaluations and samples normalise with"
    )
    sample_every: _Count
    evaluate_every: _Count
    evaluate_faces: _Count = Field(description="how many faces of the test split are measured")
    checkpoint_every: _Count
    checkpoint_minutes: float = Field(
        default=10.0, gt=0, description="a checkpoint is written when the last one is older, too"
    )
    keep_checkpoints: _Count
    on_unhealthy: Literal["warn", "stop"] = Field(
        default="warn", description="what to do when an evaluation finds an illness; see docs/health.md"
    )


class Experiment(BaseModel):
    """Everything that determines a run, but for its data and the device."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    generator: GeneratorSettings
    critic: CriticSettings
    objective: Objective
    optimizer: OptimizerSettings
    augmentation: Augmentation
    training: Training

    @model_validator(mode="after")
    def _check_parts_fit(self) -> Self:
        mistakes = []
        if self.critic.normalization == "batch" and not self.objective.allows_batch_norm_critic:
            mistakes.append(
                f"critic.normalization: {self.objective.name} penalises each sample's gradient, which batch"
                " normalisation mixes up; use layer or none"
            )
        if self.generator.takes_noise and self.objective.gamma > 0:
            mistakes.append(
                "objective.gamma: a generator from noise has no input to stay consistent with; use 0.0"
            )
        if self.generator.takes_noise and self.objective.pixel_weight > 0:
            mistakes.append("objective: a generator from noise has no label to be compared with")
        if self.generator.takes_noise and self.augmentation.degradation is not None:
            mistakes.append(
                "augmentation.degradation: a generator from noise has no input to degrade; use null"
            )
        if (self.critic.architecture == "none") != (self.objective.n_critic == 0):
            wanted = "needs a critic" if self.objective.n_critic else "trains no critic; use none"
            mistakes.append(f"critic.architecture: objective {self.objective.name} {wanted}")
        normalizations = {self.generator.normalization, self.critic.normalization}
        if "batch" in normalizations and self.training.batch_size < 2:
            mistakes.append("training.batch_size: batch normalisation needs at least 2")
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return self

    def to_yaml(self) -> str:
        """The whole experiment as YAML that reads back as the same experiment."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Reads an experiment file; its name is the file's unless the file names it.

    Args:
        overrides: `a.b=value` settings, values in YAML, applied before validation.

    Raises:
        ExperimentError: With every mistake in the file and the overrides, a line each.
    """
    try:
        text = read_bounded(path, 4 * MAX_CHARACTERS).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ExperimentError(f"{path} cannot be read: {reason}") from error
    document = read_document(text, str(path))
    values = {"name": path.stem, **document.values}
    return validate(Experiment, _override(values, overrides), document, overrides)


def parse_experiment(text: str, source: str) -> Experiment:
    """Reads a whole experiment from YAML or JSON text.

    Raises:
        ExperimentError: With every mistake, a line each, `source` named.
    """
    document = read_document(text, source)
    return validate(Experiment, document.values, document)


def override_experiment(experiment: Experiment, overrides: Sequence[str]) -> Experiment:
    """The experiment with `a.b=value` settings applied and validated."""
    document = Document(experiment.model_dump(mode="json"), "experiment", {})
    return validate(Experiment, _override(document.values, overrides), document, overrides)


def differences(old: Experiment, new: Experiment) -> dict[str, tuple[Any, Any]]:
    """The dotted paths at which two experiments differ, with the old and the new value."""
    before, after = _flatten(old.model_dump(mode="json")), _flatten(new.model_dump(mode="json"))
    paths = list(before) + [path for path in after if path not in before]
    return {
        path: (before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)
    }


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


def validate(
    kind: type[Model], values: Mapping[str, Any], document: Document, overrides: Sequence[str] = ()
) -> Model:
    """The values as a model of that kind.

    Args:
        document: Where the values come from, for the lines of mistakes.
        overrides: `a.b=value` settings that are among the values.

    Raises:
        ExperimentError: With every mistake, a line each.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        set_paths = {tuple(text.partition("=")[0].split(".")): text for text in overrides}
        details = sorted(error.errors(), key=lambda detail: _line(_path(detail, values), document) or 0)
        told = details[:MAX_MISTAKES]
        lines = [line for detail in told for line in _explain(detail, values, document, set_paths, kind)]
    if len(details) > len(told):
        lines.append(f"{document.source}: and {len(details) - len(told):,} more mistakes")
    raise ExperimentError("\n".join(lines))


def _explain(
    detail: ErrorDetails,
    values: Mapping[str, Any],
    document: Document,
    set_paths: Mapping[tuple[str, ...], str],
    kind: type[BaseModel],
) -> list[str]:
    path = _path(detail, values)
    if not path:  # raised by _check_parts_fit: each line starts with the path it is about
        mistakes = str(detail["ctx"]["error"]).split("\n")
        return [
            f"{_place(tuple(line.partition(':')[0].split('.')), document, set_paths)}: {line}"
            for line in mistakes
        ]
    return [f"{_place(path, document, set_paths)}: {'.'.join(path)}: {_reason(detail, path, kind)}"]


def _path(detail: ErrorDetails, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of a pydantic location, without the tags of unions that it names in between."""
    path: list[str] = []
    node: Any = values
    for index, part in enumerate(detail["loc"]):
        if isinstance(node, Mapping) and part not in node and index < len(detail["loc"]) - 1:
            continue
        path.append(str(part))
        node = node.get(part) if isinstance(node, Mapping) else None
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        path.append(str(detail["ctx"]["discriminator"]).strip("'"))
    return tuple(path)


def _place(path: tuple[str, ...], document: Document, set_paths: Mapping[tuple[str, ...], str]) -> str:
    for changed, text in set_paths.items():
        if changed[: len(path)] == path or path[: len(changed)] == changed:
            return f"--set {text}"
    line = _line(path, document)
    return document.source if line is None else f"{document.source}, line {line}"


def _line(path: tuple[str, ...], document: Document) -> int | None:
    """The line of the innermost node of the path that stands in the document."""
    inward = (path[:length] for length in range(len(path), 0, -1))
    return next((document.lines[part] for part in inward if part in document.lines), None)


def _reason(detail: ErrorDetails, path: tuple[str, ...], kind: type[BaseModel]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            close = difflib.get_close_matches(path[-1], _all_keys(kind), n=1)
            return f"no such setting; did you mean {close[0]}?" if close else "no such setting"
        case "missing" | "union_tag_not_found":
            return "this setting is missing"
        case "union_tag_invalid":
            tag, expected = detail["ctx"]["tag"], detail["ctx"]["expected_tags"]
            close = difflib.get_close_matches(_shown(tag), expected.replace("'", "").split(", "), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            return f"{_shown(tag)} is not one of {expected}{hint}"
        case _:
            message = str(detail["msg"]).removeprefix("Input ").removeprefix("Value error, ")
            return f"{message}, not {_shown(detail['input'])}"


def _shown(value: Any) -> str:
    """A value as it stands in a message, cut short."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # whole numbers of thousands of digits, lists in lists in lists
        return "what cannot be shown"
    return text if len(text) <= 200 else f"{text[:200]}..."


def _all_keys(kind: type[BaseModel]) -> list[str]:
    schema = kind.model_json_schema()
    nodes = [schema, *schema.get("$defs", {}).values()]
    return sorted({key for node in nodes for key in node.get("properties", {})})
