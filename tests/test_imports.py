"""Imports run one way: along the flow from Lean's statement to the report."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# From the bottom up.  A package may import those on earlier lines, and its own.
LAYERS = (
    ("numeric",),
    (
        "bridge.bounded",
        "bridge.errors",
        "bridge.opened",
        "bridge.files",
        "bridge.verdict",
        "bridge.progress",
        "bridge.spelling",
    ),
    ("bridge.cache_place",),
    ("bridge.settings", "bridge.waivers"),
    ("bridge.engine",),
    ("bridge.kernels.interface", "bridge.kernels.known_bugs"),
    ("bridge.statement", "bridge.trust"),
    ("bridge.obligation",),
    ("bridge.lean_client",),
    ("bridge.cache", "bridge.graphs", "bridge.lock", "bridge.project"),
    ("bridge.unread",),
    ("bridge.exporter", "bridge.kept", "bridge.names"),
    ("bridge.library",),
    ("bridge.kernels",),
    ("bridge.checks",),
    ("bridge.policy", "bridge.results"),
    ("bridge.statements",),
    ("bridge.spread",),
    ("bridge.report",),
    ("bridge.judging", "bridge.search", "bridge.standing_in"),
    ("bridge.check_graphs", "bridge.selection"),
    ("bridge.auditing", "bridge.instances", "bridge.mutating"),
    ("bridge.planning", "bridge.setup"),
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


def imports(path: Path) -> Iterator[str]:
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
        return [] if module == "bridge" else [f"{module} is in no layer: add it to LAYERS"]
    found = []
    for name in imported:
        other = layer_of(name)
        if other is None or other == own:
            continue
        if RANK[other] >= RANK[own]:
            found.append(f"{module} imports {name}, which is not below it")
    return found


def python_files() -> list[Path]:
    return sorted(p for part in ("bridge", "numeric") for p in (ROOT / part).rglob("*.py"))


@pytest.mark.parametrize("path", python_files(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_run_one_way(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    assert not offences(module, list(imports(path)))


def test_the_contract_says_no() -> None:
    assert offences("numeric.graph", ["bridge.errors"])
    assert offences("bridge.lean_client", ["bridge.auditing"])
    assert offences("bridge.engine.embedded.install", ["bridge.cache"])
    assert offences("bridge.newcomer", [])
    assert not offences("bridge.auditing", ["bridge.checks", "numeric.graph"])


def test_only_one_file_talks_to_lean() -> None:
    users = [
        p.relative_to(ROOT).as_posix()
        for p in python_files()
        if any(n.split(".")[0] == "leanclient" for n in imports(p))
    ]
    assert users == ["bridge/lean_client.py"]


def test_only_the_engine_package_knows_the_embedded_engine() -> None:
    for path in python_files():
        if "engine" not in path.parts:
            assert not [n for n in imports(path) if n.startswith("bridge.engine.embedded")], path
