"""Backends that run graphs besides numpy: torch on any device, JAX compiled.

A graph is a straight-line program, and the rules of its operations are written over `Arrays`; a
backend provides these and runs functions of them.  numpy needs none and arbitrates: instances that
a backend does not settle are measured again with numpy (`numeric.judge.tolerance.screened`).
"""

from __future__ import annotations

from numeric.backends.backend import Backend
from numeric.backends.choose import BACKENDS, backend_named

__all__ = ["BACKENDS", "Backend", "backend_named"]
