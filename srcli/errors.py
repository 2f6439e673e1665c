"""The mistakes a user can make, and the exit codes they end in."""

EXIT_USER_ERROR = 1
EXIT_DIVERGED = 3
EXIT_SOME_FAILED = 4
EXIT_INTERRUPTED = 130


class UserError(Exception):
    """A mistake the user can mend: one line that says what and where, and a hint that says what next.

    Args:
        message: What is wrong and where, without a full stop.
        hint: What to do next, as a sentence; empty when the message says it all.
    """

    exit_code = EXIT_USER_ERROR
    is_common = False
    """Whether it ends every process of a training in the same step, so that one of them says it for all."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class ExperimentError(UserError):
    """A preset or experiment file that does not describe an experiment."""


class DataError(UserError):
    """A dataset that is missing, damaged or of another version."""


class ImageError(UserError):
    """A picture that cannot be read, or that a model cannot take."""


class NoFaceError(ImageError):
    """A photograph in which no face was found."""


class CheckpointError(UserError):
    """A weight file or checkpoint that is missing, damaged or not of this project."""


class RunError(UserError):
    """A run directory that is missing, already there, or cannot be continued."""


class OtherProcessError(UserError):
    """A training that cannot go on because of another of its processes, which says why itself."""

    is_common = True


class LostProcessError(UserError):
    """A training of which another process ended or stopped answering."""


class DivergedError(UserError):
    """A training run in which a term of the loss stopped being a finite number."""

    exit_code = EXIT_DIVERGED
    is_common = True


class UnhealthyRunError(UserError):
    """A training run that ended itself because it was found unhealthy; its checkpoint is saved."""

    exit_code = EXIT_DIVERGED
    is_common = True


class InterruptedRunError(UserError):
    """A training run that was asked to stop and has saved its checkpoint."""

    exit_code = EXIT_INTERRUPTED
    is_common = True
