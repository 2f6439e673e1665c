"""Memory allocation in srcli's own process."""

import ctypes
import platform

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # glibc's malloc.h
_TOP_PAD = 64 * 2**20


def keep_freed_memory() -> None:
    """Makes the C library keep freed blocks for reuse.

    A training step frees and allocates the same blocks over and over; by default large ones go back to the
    system, which zeroes every page before handing it out again. Only for processes that run srcli alone;
    does nothing without glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, -1)
    mallopt(_M_TOP_PAD, _TOP_PAD)
