"""Requests to stop: Ctrl-C, SIGTERM, and the loss of the terminal."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from srcli.console import leave_lost_terminal

_ORDERS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def asked_to_stop(request: Callable[[], None]) -> Iterator[None]:
    """Calls a function on Ctrl-C, SIGTERM and SIGHUP; a second Ctrl-C or SIGTERM ends the program.

    SIGHUP comes when a terminal is closed or a connection lost, often more than once, and never ends the
    program. Under `nohup` it stays ignored. Only for the main thread.
    """
    before = {number: signal.getsignal(number) for number in _ORDERS}
    before_hangup = signal.getsignal(signal.SIGHUP)

    def obey(_number: int, _frame: object) -> None:
        request()
        for number, handler in before.items():
            signal.signal(number, handler)

    def hang_up(_number: int, _frame: object) -> None:
        leave_lost_terminal()
        request()

    for number in _ORDERS:
        signal.signal(number, obey)
    if before_hangup != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, hang_up)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.signal(signal.SIGHUP, before_hangup)
