"""What a run's record says of its health."""

from pathlib import Path

from srcli.runs.directory import RunDirectory
from srcli.verdicts import course, no_illness

UNKNOWN = "not recorded"


def health_of(path: Path) -> str | None:
    """The illnesses of a run in a few words, from its `run.json`; None for what is not a run.

    Raises:
        RunError: The run's record is damaged.
    """
    run = RunDirectory(path)
    if not run.record_file.exists():
        return None
    match run.record().get("health"):
        case {"judged_at": (int() | None) as judged_at, "illnesses": dict(illnesses)}:
            found = [_describe(name, illness, judged_at) for name, illness in illnesses.items()]
            return ", ".join(found) or no_illness(judged_at)
        case _:
            return UNKNOWN


def _describe(name: str, illness: object, judged_at: int | None) -> str:
    match illness:
        case {"first_step": int(first), "last_step": int(last)}:
            return course(name, first, last, judged_at)
        case _:
            return name
