"""Lean and the checks, replaced: whatever is asked, the realistic report is the answer."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import bridge.auditing
import bridge.engine
from bridge.errors import LeanSourceError
from tests.report.samples import realistic

__all__ = ["install"]


def install(replace: Callable[[Any, str, Any], object]) -> None:
    """Put the stand-ins in place; ``replace`` is ``setattr`` or a fixture's."""
    entries = {e.obligation.key: e for e in realistic().entries}
    asked = []

    def library_for_audit(project: Any, engine: object) -> object:
        asked.append(project)
        assert len(asked) == 1, "Lean is asked once in a session"
        if (project.root / "broken").exists():
            raise LeanSourceError("the Lean sources do not compile", remedy="correct them")
        return SimpleNamespace(obligations=tuple(e.obligation for e in entries.values()))

    def audit(library: object, *, seed: int, instances: int, only: tuple[str, ...]) -> object:
        assert (seed, instances) == (3, 50)
        return SimpleNamespace(entries=tuple(entries[key] for key in only), interrupted=False)

    replace(bridge.engine, "select", lambda kind, project: kind)
    replace(bridge.auditing, "library_for_audit", library_for_audit)
    replace(bridge.auditing, "audit", audit)
