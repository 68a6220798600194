"""The sources of a check, and which changes affect its hash."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.checking import registered
from bridge.checking import sources as check_sources
from bridge.checking.sources import source_hash

CHECKS = """\
import helping
from helping import limit as bound
from numeric.measurement import Measurement
define("a family", helping.draw)
LIMIT = 1.0
OTHER = 2.0

def within(x):
    from deeper import root
    return root(x) < LIMIT

@decorated(rejects=1)
def check(case):
    return within(bound(case))

def another(case):
    return OTHER
"""
FILES = {
    "checks_of_mine": CHECKS,
    "helping": "STEP = 3\n\ndef limit(x):\n    return x + STEP\n\ndef draw():\n    return 1\n",
    "deeper": "from deepest import root\n",
    "deepest": "def root(x):\n    return x\n\ndef unused():\n    return 0\n",
}
SETUP = "def decorated(**_):\n    return lambda f: f\n\ndef define(*_):\n    pass\n\n"


@pytest.fixture
def hash_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The hash of the check, where one module differs."""
    monkeypatch.syspath_prepend(tmp_path)

    def load(module: str = "deepest", old: str = "", new: str = "") -> str:
        for name, text in FILES.items():
            assert not old or name != module or text.count(old) == 1
            body = text.replace(old, new) if old and name == module else text
            start = SETUP if name == "checks_of_mine" else ""
            (tmp_path / f"{name}.py").write_text(start + body)
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        check_sources._module.cache_clear()
        check_sources._of_the_project.cache_clear()
        importlib.import_module("deeper")
        check = importlib.import_module("checks_of_mine").check
        sys.dont_write_bytecode = before
        return source_hash(check)

    yield load
    for name in FILES:
        sys.modules.pop(name, None)
    check_sources._module.cache_clear()
    check_sources._of_the_project.cache_clear()


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("checks_of_mine", "within(bound(case))", "within(case)"),
        ("checks_of_mine", "rejects=1", "rejects=2"),
        ("checks_of_mine", "< LIMIT", "<= LIMIT"),
        ("checks_of_mine", "LIMIT = 1.0", "LIMIT = 9.0"),
        ("checks_of_mine", '"a family"', '"another family"'),
        ("helping", "x + STEP", "x - STEP"),
        ("helping", "STEP = 3", "STEP = 4"),
        ("helping", "return 1", "return 2"),
        ("deepest", "return x", "return 0 * x"),
    ],
)
def test_code_that_a_check_uses_changes_its_hash(
    module: str, old: str, new: str, hash_of: Callable[..., str]
) -> None:
    assert hash_of(module, old, new) != hash_of()


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("checks_of_mine", "OTHER = 2.0", "OTHER = 3.0"),
        ("checks_of_mine", "return OTHER", "return 2 * OTHER"),
        ("deepest", "return 0", "return 1"),
    ],
)
def test_unused_code_does_not_change_its_hash(
    module: str, old: str, new: str, hash_of: Callable[..., str]
) -> None:
    assert hash_of(module, old, new) == hash_of()


def test_our_own_checks_count_with_what_they_use_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    measures = {c.name: c.measure for c in registered().values()}
    before = {name: source_hash(measure) for name, measure in measures.items()}
    assert len(set(before.values())) > 0.8 * len(before)  # some are one function at several graphs
    module = check_sources._module("numeric.judge.identities")
    assert module is not None
    for statement in module.statements:
        object.__setattr__(statement, "text", statement.text + "  # changed")
    after = {name: source_hash(measure) for name, measure in measures.items()}
    check_sources._module.cache_clear()
    changed = {name for name in before if before[name] != after[name]}
    assert "eps_is_positive" not in changed
    assert 10 < len(changed) < len(before)
