"""What else than numpy can run a graph: torch on any device, JAX compiled.

A graph is a straight-line program, and the rules of its operations are written over `Arrays`; a
backend gives these and says how a function of them is run.  numpy needs none and arbitrates: what a
backend does not settle is measured again with numpy (`numeric.judge.tolerance.screened`).
"""

from __future__ import annotations

from numeric.backends.backend import Backend
from numeric.backends.choose import BACKENDS, backend_named

__all__ = ["BACKENDS", "Backend", "backend_named"]
