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
    before = {number: signal.getsignal(number) for number in (*_ORDERS, signal.SIGHUP)}

    def obey(number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            leave_lost_terminal()
        request()
        for order in _ORDERS if number in _ORDERS else ():
            signal.signal(order, before[order])

    for number, handler in before.items():
        if number in _ORDERS or handler != signal.SIG_IGN:
            signal.signal(number, obey)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
