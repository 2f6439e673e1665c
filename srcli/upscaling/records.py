"""The outcome of each picture as a line of JSON."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Record:
    """The outcome of a picture; None for what is unknown or does not apply.

    Attributes:
        input: Its path as given or found; `-` for standard input.
        output: The file that was written or already existed.
        width, height: Of the input, upright.
        model: What enlarged it.
        sha256: Of the model's weights.
        seconds: From reading to writing, including waits for other pictures.
        suffered: What it has suffered beyond what the model was trained on: `jpeg_quality`, `noise`.
        faces: The enlarged faces: `box` (left, top, right, bottom in pixels of the input) and `score`.
    """

    input: str
    output: str | None
    status: Literal["ok", "failed", "skipped"]
    error: str | None = None
    width: int | None = None
    height: int | None = None
    output_width: int | None = None
    output_height: int | None = None
    model: str | None = None
    sha256: str | None = None
    seconds: float | None = None
    suffered: dict[str, float] | None = None
    faces: list[dict[str, Any]] | None = None

    def to_json(self) -> str:
        """The record as one line."""
        return json.dumps(asdict(self))
