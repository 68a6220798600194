"""Lean and the checks, replaced: the answer to any request is the realistic report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bridge.auditing.audit
import bridge.auditing.configured
import bridge.auditing.judge
from bridge.errors import LeanSourceError
from bridge.lean.project import find_project
from bridge.policy.decisions import Policy
from bridge.policy.settings import read_settings
from tests.report.samples import realistic

__all__ = ["install"]


def install(replace: Callable[[Any, str, Any], object]) -> None:
    """Install the replacements; ``replace`` is ``setattr`` or a fixture's."""
    entries = {e.obligation.key: e for e in realistic().entries}
    asked = []

    def set_up(folder: Path, *, engine: str | None) -> bridge.auditing.configured.Setup:
        project: Any = find_project(folder)
        chosen: Any = SimpleNamespace(
            official=False, lean_version="4.28.0", describe=lambda: "a stand-in"
        )
        (folder / "lean-toolchain").write_text("leanprover/lean4:v4.28.0\n", encoding="utf-8")
        return Made(project, chosen, read_settings(project.root), 1.0)

    class Made(bridge.auditing.configured.Setup):
        def library(self, *_: Any, **__: Any) -> Any:
            asked.append(self)
            assert len(asked) == 1, "Lean is asked once in a session"
            if (self.project.root / "broken").exists():
                raise LeanSourceError("the Lean sources do not compile", remedy="correct them")
            obligations = tuple(e.obligation for e in entries.values())
            return SimpleNamespace(
                obligations=obligations,
                statements=SimpleNamespace(theorems=()),
                engine=self.engine,
                project=self.project,
            )

        def trust(self, *_: Any, **__: Any) -> Any:
            return None

    def prepare(
        library: Any, *, seed: int, instances: int, policy: Policy, trust: Any, **_: Any
    ) -> Any:
        assert (seed, instances, trust) == (3, 50, None)
        return library.obligations, SimpleNamespace(library=library, policy=policy, trust=trust)

    replace(bridge.auditing.configured, "set_up", set_up)
    replace(bridge.auditing.audit, "prepare", prepare)
    replace(bridge.auditing.judge, "judge", lambda obligation, _: entries[obligation.key])
