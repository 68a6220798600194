"""Keeps freed memory for the next array.

glibc returns blocks of 128 KiB or more to the system as soon as they are freed, and requests them
again page by page: for small graphs that is half of the time of a run.  It stops doing so for sizes
that the program has freed before, up to 32 MiB.  So one such block is allocated, untouched, and
freed.  On other platforms this does nothing.
"""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["keep_freed_memory"]

_BLOCK = (32 << 20) - 8192  # just below the largest size that it learns from


@cache
def keep_freed_memory() -> None:
    """Apply it, once per process."""
    np.empty(_BLOCK, dtype=np.uint8)
