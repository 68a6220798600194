"""Proof obligations of Lean theorems, each paired with a numeric check.

In a notebook or a script::

    from bridge import audit

    result = audit()          # the project in this folder, as `obligations audit` would
    result.failing
    result.to_dataframe()
    result.plot_margins("layerNorm_hasFDerivAt:hVarEpsPos")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.models import audit_model
    from bridge.notebook import AuditResult, audit

__all__ = ["AuditResult", "__version__", "audit", "audit_model"]

__version__ = "0.1.0"

_FACE = {
    "AuditResult": "bridge.notebook",
    "audit": "bridge.notebook",
    "audit_model": "bridge.models",
}


def __getattr__(name: str) -> object:
    """Import the public names on first use, so that the command line starts fast."""
    if name in _FACE:
        return getattr(importlib.import_module(_FACE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
