"""How this program's own process asks its system for memory."""

import ctypes
import os
import platform

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # glibc's malloc.h
_TOP_PAD = 64 * 2**20


def prepare_memory() -> None:
    """Makes the C library keep freed blocks for the next one, and torch ask for large pages.

    A training step frees and takes the same blocks over and over; by default many go back to the system, which
    clears each one that it hands out again, page by page. Only for processes that are ours alone, before torch
    is imported; does nothing but under glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch's own switch
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, -1)
    mallopt(_M_TOP_PAD, _TOP_PAD)
