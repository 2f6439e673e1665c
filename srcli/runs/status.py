"""What can become of a run."""

from enum import StrEnum


class RunStatus(StrEnum):
    """The statuses of a run, as they stand in its `run.json`."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    DIVERGED = "diverged"
    UNHEALTHY = "unhealthy"
    FAILED = "failed"
