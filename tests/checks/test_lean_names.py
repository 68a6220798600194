"""Every key that is registered is a tagged theorem, with that binder, or an exported graph, in the
Lean sources.

A cheap look at the text: what Lean itself says of the library is tested with Lean.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.checks.pairs import pairs

SOURCES = Path(__file__).parents[2] / "lean"
_TAGGED = re.compile(
    r"@\[[^\]]*\bobligation\b[^\]]*\]\s*(?:noncomputable\s+|protected\s+)*theorem\s+(\S+)(.*?):=",
    re.DOTALL,
)
_VARIABLES = re.compile(r"^variable\b.*(?:\n[ \t]+.*)*", re.MULTILINE)


def tagged() -> dict[str, str]:
    """The statement of every tagged theorem, by name, with the variables of its file."""
    found: dict[str, str] = {}
    for path in sorted(SOURCES.rglob("*.lean")):
        text = path.read_text(encoding="utf-8")
        variables = " ".join(_VARIABLES.findall(text))
        for name, statement in _TAGGED.findall(text):
            found[name] = statement + variables
    return found


def exported() -> set[str]:
    """The names of the graphs that `Export/` writes down."""
    sources = (SOURCES / "PostNorm" / "Export").rglob("*.lean")
    return {n for p in sources for n in re.findall(r"``(\w+)", p.read_text(encoding="utf-8"))}


TAGGED = tagged()
EXPORTED = exported()


def missing(key: str) -> str:
    """What of a key the Lean sources do not have; empty where all is there."""
    declaration, _, binder = key.rpartition(":")
    if binder == "fidelity":
        return "" if declaration in EXPORTED else f"no graph called {declaration} is exported"
    if declaration not in TAGGED:
        return f"no theorem tagged @[obligation] is called {declaration}"
    if binder == "conclusion":
        return ""
    bound = re.search(rf"[({{]\s*(?:\w+\s+)*{re.escape(binder)}\b", TAGGED[declaration])
    return "" if bound else f"{declaration} has no binder {binder}: rename it in the check's key"


def test_every_key_is_in_the_lean_sources() -> None:
    assert not [why for key in pairs() if (why := missing(key))]


@pytest.mark.parametrize(
    "key", ["nowhere:conclusion", "layerNorm_hasFDerivAt:hNowhere", "nowhere:fidelity"]
)
def test_a_key_that_is_not_there_is_named(key: str) -> None:
    assert missing(key)


def test_the_search_finds_theorems() -> None:
    assert "hVarEpsPos" in TAGGED["layerNorm_hasFDerivAt"]
    assert "layerNormGraphFDerivCorrectAt" not in TAGGED
    assert "encoderBlockGraph" in EXPORTED
    assert "encoderBlock_eval" not in EXPORTED
