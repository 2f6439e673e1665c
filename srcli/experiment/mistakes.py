"""Validating settings, and explaining every mistake with its line and a suggestion."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from srcli.errors import ExperimentError
from srcli.experiment.yaml_text import Document

MAX_MISTAKES = 20
"""Mistakes shown per file; the rest are counted."""

Model = TypeVar("Model", bound=BaseModel)


def validate(
    kind: type[Model], values: Mapping[str, Any], document: Document, overrides: Sequence[str] = ()
) -> Model:
    """Validates values as a model of that kind.

    Args:
        overrides: The `a.b=value` settings already applied to the values.

    Raises:
        ExperimentError: Lists every mistake, one per line.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        set_paths = {tuple(text.partition("=")[0].split(".")): text for text in overrides}
        found = [*error.errors(), *_hidden_mistakes(kind, values, error.errors())]
        details = sorted(found, key=lambda detail: _line(_path(detail, values), document) or 0)
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
    if path := _path(detail, values):
        mistakes = [(path, f"{'.'.join(path)}: {_reason(detail, path, kind)}")]
    else:  # raised by _check_parts_fit: each line starts with its path
        lines = str(detail["ctx"]["error"]).split("\n")
        mistakes = [(tuple(line.partition(":")[0].split(".")), line) for line in lines]
    return [f"{_place(where, document, set_paths)}: {mistake}" for where, mistake in mistakes]


def _path(detail: ErrorDetails, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of a pydantic location, without its union tags."""
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
    """The line of the innermost node of the path that is in the document."""
    inward = (path[:length] for length in range(len(path), 0, -1))
    return next((document.lines[part] for part in inward if part in document.lines), None)


def _reason(detail: ErrorDetails, path: tuple[str, ...], kind: type[BaseModel]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            likely = _likely(path, kind)
            return f"no such setting; did you mean {likely}?" if likely else "no such setting"
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
    """A value shortened for a message."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # integers of thousands of digits, deeply nested lists
        return "a value too large to show"
    return text if len(text) <= 200 else f"{text[:200]}..."


def _hidden_mistakes(
    kind: type[BaseModel], values: Mapping[str, Any], details: Sequence[ErrorDetails]
) -> list[ErrorDetails]:
    """Mistakes that pydantic does not see because they are beside an unknown union tag.

    Tries the tag most similar to the unknown one, or all tags if none is similar, and returns the mistakes
    that all tags tried have in common.
    """
    hidden: list[ErrorDetails] = []
    for detail in details:
        path = _path(detail, values)
        if detail["type"] != "union_tag_invalid" or not isinstance(_value_at(values, path), str):
            continue
        names = detail["ctx"]["expected_tags"].replace("'", "").split(", ")
        tried = difflib.get_close_matches(detail["ctx"]["tag"], names, n=1) or names
        mistakes = [_mistakes_below(kind, _with_value(values, path, name), path[:-1]) for name in tried]
        hidden += [found for key, found in mistakes[0].items() if all(key in other for other in mistakes)]
    return hidden


def _mistakes_below(
    kind: type[BaseModel], values: Mapping[str, Any], parent: tuple[str, ...]
) -> dict[tuple[tuple[str, ...], str], ErrorDetails]:
    """The mistakes below a path, by path and type."""
    try:
        kind.model_validate(values)
    except ValidationError as error:
        found = {(_path(detail, values), detail["type"]): detail for detail in error.errors()}
        return {key: detail for key, detail in found.items() if key[0][: len(parent)] == parent != key[0]}
    return {}


def _value_at(values: Any, path: Sequence[str]) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _with_value(values: Mapping[str, Any], path: Sequence[str], value: str) -> dict[str, Any]:
    """A copy with another value at an existing path."""
    key, *rest = path
    return {**values, key: _with_value(values[key], rest, value) if rest else value}


def _likely(path: tuple[str, ...], kind: type[BaseModel]) -> str | None:
    """The setting that an unknown one may stand for: of the same name elsewhere, or of a similar name."""
    known = list(dict.fromkeys(_setting_paths(kind)))
    elsewhere = [other for other in known if other[-1] == path[-1]]
    if elsewhere:
        return ".".join(elsewhere[0])
    beside = [other[-1] for other in known if other[:-1] == path[:-1]]
    close = difflib.get_close_matches(path[-1], beside, n=1)
    if close:
        return close[0]
    like = difflib.get_close_matches(path[-1], [other[-1] for other in known], n=1)
    return next((".".join(other) for other in known if [other[-1]] == like), None)


def _setting_paths(kind: Any, parent: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all settings of a model, or of the models in an annotation."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield (*parent, name)
            yield from _setting_paths(field.annotation, (*parent, name))
    for part in get_args(kind):
        yield from _setting_paths(part, parent)
