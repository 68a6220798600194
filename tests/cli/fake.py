"""A project and an engine that need no Lean: the language server is scripted."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.checks.pairing import wanted_graphs
from bridge.engine import BuildReport, EngineKind, LeanMessage, ModuleReport, Recheck
from tests.bridge.answers import answer, binder, statement
from tests.numeric.graphs import layer_norm_json

TERMS = Path(__file__).parent.parent / "bridge" / "layer_norm_terms.json"
SERVER = Path(__file__).parent.parent / "bridge" / "scripted_server.py"


@dataclass(frozen=True)
class FakeEngine:
    """An engine whose server plays ``mode``; ``errors`` are the compiler's, ``refuses`` those of a
    separate checker: None for no checker, empty if it accepts."""

    answers: Path
    mode: str = "honest"
    errors: tuple[LeanMessage, ...] = ()
    fingerprint: str = "fake"
    kind: EngineKind = "embedded"
    lean_version: str = "4.28.0"
    official: bool = False
    prefers_batch: bool = False
    refuses: str | None = None
    beside: Path | None = None

    def describe(self) -> str:
        return "Lean 4.28.0 (a fake)"

    def server_command(self, project: Path) -> list[str]:
        return [sys.executable, str(SERVER), self.mode, str(self.answers)]

    def begin(self, project: Path) -> None:
        """It is ready."""

    def run_document(
        self, project: Path, text: str, *, timeout: float, output: Path | None = None
    ) -> tuple[LeanMessage, ...] | None:
        return None

    def until(self, over: threading.Event) -> None:
        """It runs no documents."""

    def files_asked(self, project: Path) -> Mapping[str, str] | None:
        """It asks for none."""
        return {}

    def compiled_digests(self, project: Path) -> Mapping[str, str] | None:
        """It does not know."""
        return None

    def programs(self, project: Path) -> Path | None:
        return self.beside

    def recheck(self, project: Path, modules: Sequence[str], *, timeout: float) -> Recheck | None:
        return None if self.refuses is None else Recheck("leanchecker", self.refuses or None)

    def build(self, project: Path, **_: Any) -> BuildReport:
        outcome = "failed" if self.errors else "current"
        module = ModuleReport("PostNorm", "lean/PostNorm.lean", outcome, self.errors)
        return BuildReport((module,), 0.0)


def layer_norm_statements() -> list[Any]:
    """LayerNorm's three theorems, with terms that are not Lean's."""

    def side_conditions() -> list[Any]:
        return [
            binder("ε", "R", prop=False),
            binder("hVarEpsPos", "∀ row, 0 < (layerNormPrefix6 ε).eval ρ row", term="a"),
            binder("hStdNe0", "∀ row, (layerNormPrefix7 ε).eval ρ row ≠ 0", term="b"),
        ]

    lemma = {
        "binder": "hVarEpsPos",
        "lemma": "PostNorm.layerNorm_varEps_pos",
        "conditions": ["0 < ε"],
    }
    return [
        statement(
            "PostNorm.layerNorm_hasFDerivAt",
            *side_conditions(),
            module="PostNorm.Layers",
            doc="LayerNorm is differentiable.  Elsewhere it need not be.",
            discharges=[lemma],
        ),
        statement(
            "PostNorm.layerNorm_backpropVec_eq_adjoint_fderiv_at",
            *side_conditions(),
            module="PostNorm.Layers",
        ),
        statement("PostNorm.layerNorm_eval", module="PostNorm.Layers"),
    ]


def graph_answers() -> list[Any]:
    """Lean's exports for the registered checks: LayerNorm's graph, and refusals for the rest."""
    messages: list[Any] = [
        {
            "kind": "family",
            "name": "PostNorm.layerNormGraph",
            "sizes": [["seqLen", 4], ["dModel", 8]],
            "constants": [["eps", 1e-05]],
        }
    ]
    for index, request in enumerate(wanted_graphs()):
        head = {"kind": "graph", "index": index}
        if request.name == "layerNormGraph":
            sizes = dict(request.sizes)
            messages.append({**head, "graph": layer_norm_json(sizes["seqLen"], sizes["dModel"])})
        else:
            messages.append({**head, "error": f"no exported graph is called {request.name}"})
    return [*messages, {"kind": "end", "count": len(messages), "lean": "4.28.0"}]


def proposition_answers() -> list[Any]:
    """LayerNorm's three theorems as terms, in Lean's format."""
    messages = json.loads(TERMS.read_text(encoding="utf-8"))
    end = {"kind": "end", "schema": "obligations-proposition/1", "lean": "4.28.0"}
    return [*messages, {**end, "count": len(messages)}]


def trust_answers(*messages: Any, refused: Mapping[str, str] | None = None) -> list[Any]:
    """Lean's answer about the constants behind the statements: 12, minus those ``refused``."""
    told = [{"kind": "refusal", "name": n, "why": why} for n, why in (refused or {}).items()]
    return [*messages, *told, trust_end(len(messages) + len(told), 12 - len(told))]


def trust_end(count: int, constants: int = 12) -> dict[str, Any]:
    """The last message of an answer about trust."""
    return {
        "kind": "end",
        "count": count,
        "constants": constants,
        "not_checked": 0,
        "all": 12,
    }


def write_answers(
    path: Path,
    *statements: Any,
    trust: list[Any] | None = None,
    propositions: list[Any] | None = None,
    exact: Mapping[str, Any] | None = None,
    **modules: str | None,
) -> None:
    """Write the scripted server's answers; ``exact`` is as in its function ``judged``."""
    value = {
        "statements": answer(*statements, **modules),
        "graphs": graph_answers(),
        "propositions": proposition_answers() if propositions is None else propositions,
        "exact": exact or {},
        "trust": trust_answers() if trust is None else trust,
    }
    path.write_text(json.dumps(value), encoding="utf-8")


def write_project(root: Path) -> None:
    """A minimal project."""
    (root / "lean" / "PostNorm").mkdir(parents=True)
    (root / "lakefile.lean").write_text(
        "import Lake\nopen Lake DSL\n\npackage demo\n\n"
        'lean_lib PostNorm where\n  srcDir := "lean"\n'
    )
    (root / "lean-toolchain").write_text("leanprover/lean4:v4.28.0\n")
    (root / "lean" / "PostNorm.lean").write_text("import PostNorm.Layers\n")
    (root / "lean" / "PostNorm" / "Layers.lean").write_text("-- theorems\n")
