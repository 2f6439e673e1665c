"""The wording of a run's health, for everything that reports it."""

from collections.abc import Mapping
from typing import Any

WINDOW = 200
"""How many steps the rules look back on; in a shorter run, finding nothing means nothing."""


def nothing_found(judged_at: int | None) -> str:
    """What is said of a run without findings, judged at the step of the last evaluation, if there was one."""
    if judged_at is None or judged_at < WINDOW:
        return f"too short to judge by, the rules want {WINDOW} steps and an evaluation"
    return f"nothing found up to step {judged_at}"


def course(finding: str, first_step: int, last_step: int, judged_at: int | None) -> str:
    """When a finding was made, in a few words."""
    if last_step == judged_at:
        return f"{finding} since step {first_step}"
    return f"{finding} from step {first_step} to {last_step}"


def describe_health(record: Mapping[str, Any]) -> str:
    """The findings of a run in a few words, from its `run.json`, which may come from a stranger."""
    match record.get("health"):
        case {"judged_at": (int() | None) as judged_at, "findings": dict(findings)}:
            found = [_describe(name, finding, judged_at) for name, finding in findings.items()]
            return ", ".join(found) or nothing_found(judged_at)
        case _:
            return "not recorded"


def _describe(name: str, finding: object, judged_at: int | None) -> str:
    match finding:
        case {"first_step": int(first), "last_step": int(last)}:
            return course(name, first, last, judged_at)
        case _:
            return name
