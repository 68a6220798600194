"""`audit --backend`: the backend is chosen, named, and part of a result's key."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest

from bridge.auditing import configured
from bridge.checking.units import Chunk
from bridge.checking.workers.task import Place, Refused, measure, pack
from numeric.backends import Backend, backend_named
from numeric.ops import NUMPY
from tests.cli.conftest import Harness
from tests.spread.runs import CONCLUSION, ROOT, run_of

ONLY = ("--only", "layerNorm_backpropVec_eq_adjoint_fderiv_at*", "--instances", "20")


class Loom(Backend):
    """numpy under another name; counts its calls."""

    spec = "loom:wood"
    arrays = NUMPY

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def describe(self) -> str:
        return "loom 1.0 on wood"

    def compiled(self, function: Any) -> Any:
        def run(*arrays: Any) -> Any:
            self.asked += 1
            return function(*arrays)

        return run


@pytest.fixture
def loom(monkeypatch: pytest.MonkeyPatch) -> Loom:
    made, known = Loom(), configured.backend_named
    monkeypatch.setattr(
        configured, "backend_named", lambda name: made if name == "loom" else known(name)
    )
    return made


def report(harness: Harness, *arguments: str) -> dict[str, Any]:
    result = harness.run("audit", "--format", "json", *ONLY, *arguments)
    assert result.exit_code in (0, 4), result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_an_audit_asks_the_backend_and_names_it(harness: Harness, loom: Loom) -> None:
    plain = report(harness)
    assert plain["backend"] == "numpy"
    assert loom.asked == 0
    found = report(harness, "--backend", "loom")
    assert found["backend"] == "loom 1.0 on wood"
    assert loom.asked > 0
    verdicts = [{o["key"]: o["verdict"] for o in r["obligations"]} for r in (plain, found)]
    assert verdicts[0] == verdicts[1]
    assert "loom 1.0 on wood" in harness.run("audit", "--backend", "loom", *ONLY).stdout


def test_results_are_kept_for_each_backend(harness: Harness, loom: Loom) -> None:
    report(harness)
    report(harness, "--backend", "loom")
    asked = loom.asked
    assert asked > 0  # numpy's result was not reused
    report(harness, "--backend", "loom")
    assert loom.asked == asked
    dry = harness.run("audit", "--dry-run", *ONLY, "--backend", "loom").stdout
    assert "0 would be measured" in " ".join(dry.split())


def test_a_project_may_set_it(harness: Harness, loom: Loom) -> None:
    (harness.root / "obligations.toml").write_text('backend = "torch:abacus"\n')
    refused = harness.run("audit", *ONLY)
    assert refused.exit_code == 2
    assert "torch" in refused.output
    assert report(harness, "--backend", "numpy")["backend"] == "numpy"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--backend", "jaxx"], "expected a backend among numpy, jax, torch but got 'jaxx'"),
        (["--backend", "torch", "--model", "m.safetensors"], "leave --backend out"),
    ],
)
def test_an_unusable_backend_is_refused(harness: Harness, arguments: list[str], said: str) -> None:
    (harness.root / "m.safetensors").write_bytes(b"")
    result = harness.run("audit", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is not None, reason="JAX is installed, so it is not missing"
)
def test_a_backend_that_is_not_installed_is_named_with_its_extra(harness: Harness) -> None:
    result = harness.run("audit", "--backend", "jax")
    assert result.exit_code == 2
    assert "pip install 'lean-obligations[jax]'" in " ".join(result.output.split())


def test_a_worker_without_the_backend_refuses() -> None:
    run = run_of(CONCLUSION)
    run.backend = Loom()
    found = measure(pack(run, Place(ROOT)), Chunk("generic", 0, 3))
    assert isinstance(found, Refused)
    assert "expected a backend among" in found.reason


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_a_worker_measures_on_the_backend() -> None:
    plain = run_of(CONCLUSION).measure(Chunk("generic", 1, 9))
    run = run_of(CONCLUSION)
    run.backend = backend_named("torch:cpu")
    found = measure(pack(run, Place(ROOT)), Chunk("generic", 1, 9))
    assert (found.held, found.failed) == (plain.held, plain.failed) == (8, 0)  # type: ignore[union-attr]
