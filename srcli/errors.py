"""User errors and exit codes."""

EXIT_USER_ERROR = 1
EXIT_DIVERGED = 3
EXIT_SOME_FAILED = 4
EXIT_INTERRUPTED = 130


class UserError(Exception):
    """An error that the user can fix: one line that says what and where, and a hint what to do next.

    Args:
        message: What is wrong and where, without a full stop.
        hint: What to do next, as a sentence; empty if the message says it all.
    """

    exit_code = EXIT_USER_ERROR
    is_common = False
    """Whether it ends all processes of a run at the same step, so that only rank 0 reports it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class ExperimentError(UserError):
    """An invalid preset or experiment file."""


class DataError(UserError):
    """A dataset that is missing, damaged or of another version."""


class ImageError(UserError):
    """A picture that cannot be read, or that a model does not accept."""


class NoFaceError(ImageError):
    """A photograph in which no face was found."""


class CheckpointError(UserError):
    """A weight file or checkpoint that is missing, damaged or not srcli's."""


class RunError(UserError):
    """A run directory that is missing, already exists, or cannot be resumed."""


class OtherProcessError(UserError):
    """A training run stopped by an error in another process, which reports it."""

    is_common = True


class LostProcessError(UserError):
    """A training run that lost a process: it ended or stopped responding."""


class DivergedError(UserError):
    """A training run in which a term of the loss became infinite or NaN."""

    exit_code = EXIT_DIVERGED
    is_common = True


class UnhealthyRunError(UserError):
    """A training run stopped as unhealthy, with its checkpoint saved."""

    exit_code = EXIT_DIVERGED
    is_common = True


class InterruptedRunError(UserError):
    """An interrupted training run, with its checkpoint saved."""

    exit_code = EXIT_INTERRUPTED
    is_common = True
