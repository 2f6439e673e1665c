"""Parsing YAML into plain values with the line of each key, more strictly than YAML itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from srcli.errors import ExperimentError
from srcli.storage.bounded import read_bounded

MAX_CHARACTERS = 100_000
MAX_DEPTH = 20


@dataclass(frozen=True)
class Document:
    """A mapping read from text, its source, and the line of each key path, counted from 1."""

    values: Mapping[str, Any]
    source: str
    lines: Mapping[tuple[str, ...], int]


class _Loader(yaml.SafeLoader):
    """A SafeLoader that reads 2e-4 as a number, as YAML 1.2 does."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read_file(path: Path) -> Document:
    """Parses a YAML file, as `read_document` does its text.

    Raises:
        ExperimentError: Also if it cannot be read.
    """
    try:
        text = read_bounded(path, 4 * MAX_CHARACTERS).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ExperimentError(f"{path} cannot be read: {reason}") from error
    return read_document(text, str(path))


def read_document(text: str, source: str) -> Document:
    """Parses YAML text that is one mapping.

    Raises:
        ExperimentError: Not YAML, not a mapping, or has aliases or a duplicate key; names `source` and line.
    """
    if len(text) > MAX_CHARACTERS:
        raise ExperimentError(
            f"{source} is too long for an experiment: more than {MAX_CHARACTERS:,} characters"
        )
    try:
        _refuse_bombs(text, source)
        root = yaml.compose(text, Loader=_Loader)
        values = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ExperimentError(_yaml_mistake(error, source)) from None
    if not isinstance(root, yaml.MappingNode) or not isinstance(values, dict):
        raise ExperimentError(f"{source} is not an experiment: it should be a mapping of settings")
    lines: dict[tuple[str, ...], int] = {}
    _collect_lines(root, (), lines, source)
    return Document(values, source, lines)


def parse_value(text: str, source: str) -> Any:
    """One YAML value, such as the right side of `--set a.b=value`."""
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ExperimentError(_yaml_mistake(error, source)) from None


def _refuse_bombs(text: str, source: str) -> None:
    """Scans the parser's events before any value is built."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise ExperimentError(f"{source}: aliases (*name) are not allowed in an experiment")
        if isinstance(event, yaml.ScalarEvent):
            event.value.encode()  # a lone surrogate, "\\ud800", raises UnicodeEncodeError, a ValueError
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ExperimentError(f"{source} is nested too deeply for an experiment")


def _collect_lines(
    node: yaml.MappingNode, path: tuple[str, ...], lines: dict[tuple[str, ...], int], source: str
) -> None:
    for key, value in node.value:
        where = (*path, str(key.value))
        if where in lines:
            line = key.start_mark.line + 1
            raise ExperimentError(f"{source}, line {line}: {'.'.join(where)}: this setting is given twice")
        lines[where] = key.start_mark.line + 1
        if isinstance(value, yaml.MappingNode):
            _collect_lines(value, where, lines, source)


def _yaml_mistake(error: Exception, source: str) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{source}, line {error.problem_mark.line + 1}: not YAML: {error.problem}"
    first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"{source} is not YAML: {first_line}"
