"""What is said of a run's health, in one place for all who say it."""

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
