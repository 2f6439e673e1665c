"""Things that are done at intervals."""

import time
from collections.abc import Callable


class Timer:
    """Rings every so many seconds of a clock, the first time after `first` instead, unless that is None."""

    def __init__(
        self, every: float, first: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every, self._clock = every, clock
        self._next = clock() + (every if first is None else first)

    def rings(self) -> bool:
        """Whether it is time; the next time is counted from now."""
        is_time = self._clock() >= self._next
        if is_time:
            self.restart()
        return is_time

    def restart(self) -> None:
        """Counts from now to the next time."""
        self._next = self._clock() + self._every
