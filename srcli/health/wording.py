"""What is said of a run's health, in one place for all who say it."""

from collections.abc import Mapping
from typing import Any

WINDOW = 200
"""How many steps the rules look back on; before there are so many, finding nothing means nothing."""


def no_illness(judged_at: int | None) -> str:
    """What is said of a run in which no rule found anything.

    Args:
        judged_at: The step of the last evaluation; None before the first.
    """
    if judged_at is None or judged_at < WINDOW:
        return f"too short to judge by, the rules want {WINDOW} steps and an evaluation"
    return f"no illness found up to step {judged_at}"


def course(illness: str, first_step: int, last_step: int, judged_at: int | None) -> str:
    """When a run has an illness, or had it."""
    if last_step == judged_at:
        return f"{illness} since step {first_step}"
    return f"{illness} from step {first_step} to {last_step}"


def describe_health(record: Mapping[str, Any]) -> str:
    """The illnesses of a run in a few words, from its `run.json`, which may come from a stranger."""
    match record.get("health"):
        case {"judged_at": (int() | None) as judged_at, "illnesses": dict(illnesses)}:
            found = [_describe(name, illness, judged_at) for name, illness in illnesses.items()]
            return ", ".join(found) or no_illness(judged_at)
        case _:
            return "not recorded"


def _describe(name: str, illness: object, judged_at: int | None) -> str:
    match illness:
        case {"first_step": int(first), "last_step": int(last)}:
            return course(name, first, last, judged_at)
        case _:
            return name
