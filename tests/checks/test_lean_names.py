"""Every key of a check is one of the library's, by Lean's answer when the lock was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.lean.graphs import parse_graphs
from bridge.lean.obligation import obligations_of
from bridge.lean.statement import parse_statements
from bridge.policy.answer_file import open_kept
from tests.checks.pairs import pairs

ROOT = Path(__file__).parents[2]


def keys() -> frozenset[str]:
    """The keys of all obligations, including fidelity."""
    kept = open_kept(ROOT)
    statements = parse_statements(kept.answer["statements"])
    own = (o.key for o in obligations_of(statements, ["PostNorm"]))
    families = parse_graphs(kept.answer["graphs"], kept.graphs).families
    return frozenset((*own, *(f"{f.short}:fidelity" for f in families)))


KEYS = keys()


def test_every_key_is_in_the_locked_answer() -> None:
    assert not [key for key in pairs() if key not in KEYS]


@pytest.mark.parametrize(
    "key", ["nowhere:conclusion", "layerNorm_hasFDerivAt:hNowhere", "nowhere:fidelity"]
)
def test_a_missing_key_is_noticed(key: str) -> None:
    assert key not in KEYS


def test_the_answer_holds_theorems_and_graphs() -> None:
    assert "layerNorm_hasFDerivAt:hVarEpsPos" in KEYS
    assert "encoderBlockGraph:fidelity" in KEYS
