"""How this program's own process asks its system for memory."""

import ctypes
import platform

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # glibc's malloc.h
_TOP_PAD = 64 * 2**20


def keep_freed_memory() -> None:
    """Makes the C library keep freed blocks for the next one.

    A training step frees and takes the same blocks over and over; by default large ones go back to the
    system, which clears each one that it hands out again, page by page. Only for processes that are ours
    alone; does nothing but under glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, -1)
    mallopt(_M_TOP_PAD, _TOP_PAD)
