"""Cached results: the same, or measured again."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.checking import CheckResult, CheckRun, GraphRequest, graph_requests, run_check, store
from bridge.checking.store import (
    ResultCache,
    code_hash,
    graph_hashes,
    is_ours,
    is_readable,
    may_read_silently,
)
from bridge.checks.by_form import checks_of
from bridge.checks.forms import Form, Says
from bridge.storage import opened
from bridge.verdict import Verdict
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from tests.checks.pairs import pairs
from tests.numeric.graphs import layer_norm

KEY = "layerNorm_eval:conclusion"
CHECK = pairs()[KEY]


def graphs() -> dict[GraphRequest, Graph]:
    found = {}
    for request in graph_requests([CHECK]):
        sizes = dict(request.sizes)
        found[request] = layer_norm(sizes["seqLen"], sizes["dModel"])
    return found


def result(of: Mapping[GraphRequest, Graph]) -> CheckResult:
    return run_check(CheckRun(CHECK, [], of, KEY, 0), instances=20)


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    cache, found = ResultCache(tmp_path / "results"), result(graphs())
    assert cache.load("k") is None
    cache.store("k", found)
    assert cache.load("k") == found


def test_a_failure_comes_back_with_its_counterexample(tmp_path: Path) -> None:
    wrong = {
        r: replace(g, nodes=(*g.nodes[:-1], replace(g.nodes[-1], op="sub")))
        for r, g in graphs().items()
    }
    cache, found = ResultCache(tmp_path), result(wrong)
    assert found.counterexample is not None
    cache.store("k", found)
    assert cache.load("k") == found


def test_a_broken_check_is_not_kept(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path)
    cache.store("k", CheckResult(Verdict.ERROR, "ZeroDivisionError", 0, 0))
    assert cache.load("k") is None


@pytest.mark.parametrize("damage", [("holds", "fails"), ("{", ""), ("20", "21")])
def test_a_damaged_result_is_measured_again(tmp_path: Path, damage: tuple[str, str]) -> None:
    cache = ResultCache(tmp_path)
    cache.store("k", result(graphs()))
    path = tmp_path / "k.json"
    path.write_text(path.read_text().replace(*damage))
    assert cache.load("k") is None


def test_everything_a_result_follows_from_is_in_its_key(tmp_path: Path) -> None:
    cache, right = ResultCache(tmp_path), graphs()
    name = CHECK.graph

    def key(of: Mapping[GraphRequest, Graph], seed: int, instances: int, of_key: str) -> str:
        hashed = graph_hashes(of)[name]
        return cache.key([CHECK], hashed, key=of_key, seed=seed, instances=instances)

    same = key(right, 0, 20, KEY)
    assert key(graphs(), 0, 20, KEY) == same
    changed = [
        key(
            {r: replace(g, nodes=g.nodes[:-1], outputs=(15,)) for r, g in right.items()}, 0, 20, KEY
        ),
        key(right, 1, 20, KEY),
        key(right, 0, 21, KEY),
        key(right, 0, 20, "other:conclusion"),
        cache.key([CHECK, CHECK], graph_hashes(right)[name], key=KEY, seed=0, instances=20),
    ]
    assert same not in changed
    assert len(set(changed)) == len(changed)


CHECKS = """
import pathlib
import {helper}

def measure(case):
    return {helper}.FACTOR, pathlib.Path({data!r}).read_text()
"""


def test_calls_and_reads_of_a_projects_check_are_part_of_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "helper_of_results.py").write_text("FACTOR = 1\n")
    data = tmp_path / "data.txt"
    data.write_text("1")
    text = CHECKS.format(helper="helper_of_results", data=str(data))
    (tmp_path / "checks_of_results.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    own = importlib.import_module("checks_of_results")
    check = replace(CHECK, measure=own.measure)
    cache, found = ResultCache(tmp_path / "results"), result(graphs())

    def key() -> str:
        return cache.key([check], "", key=KEY, seed=0, instances=1)

    before = key()
    with opened.recording():
        own.measure(None)
    cache.store(before, found, opened.digests())
    assert cache.load(before) == found
    data.write_text("2")
    assert cache.load(before) is None
    assert key() == before
    (tmp_path / "helper_of_results.py").write_text("FACTOR = 2\n")
    assert key() != before
    assert not is_ours(check)
    assert is_ours(CHECK)


def test_no_result_of_such_code_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> set[str]:
        return {name for name, source in store._sources() if opened.reads_silently(source)}

    before = silent()
    (tmp_path / "silent_checks.py").write_text("def later():\n    import ctypes\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("silent_checks")
    assert silent() - before == {"silent_checks"}
    assert may_read_silently()
    monkeypatch.setattr(store, "_sources", lambda: iter([("plain", b"import numpy")]))
    assert not may_read_silently()


def test_an_installed_check_that_is_edited_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "installed_checks.py").write_text("def measure(case):\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(opened, "INSTALLED", (*opened.INSTALLED, str(tmp_path)))
    check = replace(CHECK, measure=importlib.import_module("installed_checks").measure)
    before = code_hash([check])
    (tmp_path / "installed_checks.py").write_text("def measure(case):\n    return 2\n")
    assert code_hash([check]) != before


def test_a_check_without_a_file_is_not_readable() -> None:
    def measure(case: Case) -> Measurement:
        raise NotImplementedError

    measure.__module__ = "typed_into_a_notebook"
    assert not is_readable(replace(CHECK, measure=measure))
    assert is_readable(CHECK)


def test_checks_that_are_made_by_form_are_ours() -> None:
    """Including one whose measure is in the package numeric, so that the hash in another process is
    the same, regardless of what it has loaded."""
    forms = {
        str(n): Form(says, "ffnGraph") for n, says in enumerate((Says.VALUE, Says.FIRST_ADJOINT))
    }
    made = checks_of(forms)
    assert len(made) == 2
    assert all(map(is_ours, made.values()))
    first = next(c for c in made.values() if c.measure.__module__.startswith("numeric."))
    assert not is_ours(replace(first, form=None)), "a project may register a measure of ours"
