"""Keeps freed memory for the next array.

glibc gives blocks from 128 KiB on back to the system as soon as they are freed, and asks for them
again page by page: for small graphs that is half of the time of a run.  It stops doing so for sizes
that a program has been seen to free, up to 32 MiB.  So one such block is allocated, untouched, and
freed.  Elsewhere this does nothing.
"""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["keep_freed_memory"]

_BLOCK = (32 << 20) - 8192  # just below the largest size that it learns from


@cache
def keep_freed_memory() -> None:
    """Do it, once for each process."""
    np.empty(_BLOCK, dtype=np.uint8)
