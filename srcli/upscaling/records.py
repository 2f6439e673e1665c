"""What became of each picture, one JSON object a line."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """What became of a picture."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Record:
    """What became of a picture; None for what is not known or does not apply.

    Attributes:
        input: As it was given or found; `-` for standard input.
        output: The file that was written, or that was there already.
        status: Of the picture.
        error: Why it failed.
        width: Of the input as it is seen, upright.
        height: Of the input.
        output_width: Of the output.
        output_height: Of the output.
        model: What enlarged it.
        sha256: Of the model's weights.
        seconds: From when it was read until it was written, with the waits for others between.
        faces: Those that were enlarged: `box` (left, top, right, bottom in pixels of the input) and `score`.
    """

    input: str
    output: str | None
    status: Status
    error: str | None = None
    width: int | None = None
    height: int | None = None
    output_width: int | None = None
    output_height: int | None = None
    model: str | None = None
    sha256: str | None = None
    seconds: float | None = None
    faces: list[dict[str, Any]] | None = None

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))
