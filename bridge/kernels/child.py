"""The process in which a native kernel runs.

Whatever happens here, the last line on standard output begins with the nonce only if the whole
export was read; the parent ignores any other output.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from bridge.kernels.feed import Feed
from bridge.kernels.library import LeanLibrary

__all__ = ["main"]


def main(library: str, export: str, nonce: str, megabytes: str) -> None:
    """Check ``export`` with the kernel in ``library`` and print the answer.

    Args:
        library: path of the shared library.
        export: path of the export.
        nonce: the start of the line with the answer.
        megabytes: how much memory this process may have.
    """
    limit = int(megabytes) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    kernel = LeanLibrary(Path(library))
    feed = Feed(kernel)
    with Path(export).open(encoding="utf-8") as file:
        feed.read(file)
    answer = {"version": kernel.version, "count": len(feed.kinds), "refused": feed.refused}
    sys.stdout.write(f"\n{nonce}{json.dumps(answer)}\n")
