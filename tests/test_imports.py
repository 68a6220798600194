"""Imports run one way: along the flow from Lean's statement to the report."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("bridge", "embedded_lean", "numeric")

# From the bottom up.  A package may import those on earlier lines, and its own.
LAYERS = (
    ("numeric.errors",),
    ("numeric.arithmetic",),
    ("numeric.ops",),
    ("numeric.streams", "numeric.graph"),
    ("numeric.propositions",),
    ("numeric.interpret",),
    ("numeric.backends",),
    ("numeric.closed_forms",),
    ("numeric.instances",),
    ("numeric.mutants",),
    ("numeric.judge",),
    ("numeric.case", "numeric.families", "numeric.identities", "numeric.measurement"),
    ("bridge.errors", "bridge.verdict", "bridge.progress", "bridge.suggestions"),
    ("bridge.decoding", "bridge.storage"),
    ("bridge.engine",),
    ("embedded_lean",),
    ("bridge.engine.choose",),
    ("bridge.lean",),
    ("bridge.kernels",),
    ("bridge.checking",),
    ("bridge.checks",),
    ("bridge.statements",),
    ("bridge.policy",),
    ("bridge.report",),
    ("bridge.auditing",),
    ("bridge.capture",),
    ("bridge.models",),
    ("bridge.notebook",),
    ("bridge.cli", "bridge.pytest_plugin"),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def layer_of(module: str) -> str | None:
    """The layer's entry that ``module`` belongs to."""
    found = [n for n in RANK if module == n or module.startswith(n + ".")]
    return max(found, key=len, default=None)


@functools.cache
def imports(path: Path) -> tuple[str, ...]:
    """The modules that a file imports, and the names that it takes from them."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{a.name}" for a in node.names)


def offences(module: str, imported: list[str]) -> list[str]:
    own = layer_of(module)
    if own is None:
        return [] if module in PACKAGES else [f"{module} is in no layer: add it to LAYERS"]
    found = []
    for name in imported:
        other = layer_of(name)
        if other is None or other == own:
            continue
        if module == own and other.startswith(f"{own}."):  # a user interface exposes its package
            continue
        if RANK[other] >= RANK[own]:
            found.append(f"{module} imports {name}, which is not below it")
    return found


def python_files() -> list[Path]:
    return sorted(p for part in PACKAGES for p in (ROOT / part).rglob("*.py"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_imports_run_one_way() -> None:
    assert not [
        offence
        for path in python_files()
        for offence in offences(module_of(path), list(imports(path)))
    ]


def test_the_contract_rejects_violations() -> None:
    assert offences("numeric.graph", ["bridge.errors"])
    assert offences("bridge.lean.client", ["bridge.auditing.audit"])
    assert offences("embedded_lean.install", ["bridge.lean.answers"])
    assert offences("bridge.newcomer", [])
    assert not offences("bridge.auditing.audit", ["bridge.checks", "numeric.graph"])


def test_only_one_file_talks_to_lean() -> None:
    users = [
        p.relative_to(ROOT).as_posix()
        for p in python_files()
        if any(n.split(".")[0] == "leanclient" for n in imports(p))
    ]
    assert users == ["bridge/lean/client.py"]


def test_only_the_choice_of_an_engine_knows_the_embedded_one() -> None:
    users = {
        module_of(path)
        for path in python_files()
        if path.is_relative_to(ROOT / "bridge")
        and any(n.split(".")[0] == "embedded_lean" for n in imports(path))
    }
    assert users == {"bridge.engine.choose"}
