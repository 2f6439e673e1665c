"""The status of a run."""

from enum import StrEnum


class RunStatus(StrEnum):
    """The statuses of a run, as `run.json` holds them."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    DIVERGED = "diverged"
    UNHEALTHY = "unhealthy"
    FAILED = "failed"
