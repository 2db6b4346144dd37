"""How memory is kept between steps."""

from __future__ import annotations

import ctypes
import ctypes.util

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_LARGEST_KEPT = 32 << 20  # bytes; glibc takes no more
_NEVER = (1 << 31) - 1


def keep_freed_memory() -> None:
    """Keep freed memory for the next step instead of giving it back to the system.

    Every step on a CPU takes and frees the same large tensors. glibc hands such blocks back at
    once, and getting them again costs a page fault for every 4 kB: about a quarter of a step.
    Where the C library has no mallopt, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(ctypes.util.find_library('c')), 'mallopt', None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
        mallopt(_TRIM_THRESHOLD, _NEVER)
