"""Every Lean source of the libraries is imported: Lean never compiles a source that nothing
imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.engine.sources import parse_header

SOURCES = Path(__file__).parents[1] / "lean"


def files() -> dict[str, Path]:
    """The sources by the name of their module."""
    return {
        ".".join(path.relative_to(SOURCES).with_suffix("").parts): path
        for path in SOURCES.rglob("*.lean")
    }


def reached(root: str, sources: dict[str, Path]) -> set[str]:
    """The modules that ``root`` imports, directly or through others."""
    found: set[str] = set()
    todo = [root]
    while todo:
        name = todo.pop()
        if name in sources and name not in found:
            found.add(name)
            header = parse_header(sources[name].read_text(encoding="utf-8"))
            todo += [one.module for one in header.imports]
    return found


@pytest.mark.parametrize("root", ["PostNorm", "Obligations"])
def test_every_file_is_imported(root: str) -> None:
    sources = files()
    own = {name for name in sources if name.partition(".")[0] == root}
    assert len(own) > 1
    forgotten = sorted(own - reached(root, sources))
    assert not forgotten, f"nothing imports {forgotten}: add `import {forgotten[0]}` to {root}.lean"
