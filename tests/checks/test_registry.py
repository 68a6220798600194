"""Registration: what a check must declare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.checking import Check, RegistrationError, check, graph_requests, registered
from bridge.verdict import Role
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.edits import DerivativeMutant
from tests.checks.pairs import pairs

SIZES = ("seqLen", "dModel")
REFUTED = ("eps 0, constant row",)
MUTANT = (DerivativeMutant("vjp", "square"),)


def documented(case: Case) -> Measurement:
    """Says something."""
    raise NotImplementedError


def bare(case: Case) -> Measurement:
    raise NotImplementedError


def register(
    *keys: str,
    measure: Callable[[Case], Measurement] = documented,
    into: dict[str, Check] | None = None,
    **how: Any,
) -> dict[str, Check]:
    registry: dict[str, Check] = {} if into is None else into
    check(*keys, graph="g", registry=registry, **{"sizes": SIZES, **how})(measure)
    return registry


def test_several_keys_share_a_check() -> None:
    registry = register("a:h", "b:h", refuted_by=REFUTED)
    assert registry["a:h"] is registry["b:h"]
    assert registry["a:h"].role is Role.HYPOTHESIS
    assert registry["a:h"].doc == "Says something."
    assert registry["a:h"].name == "documented"
    assert register("a:conclusion", rejects=MUTANT)["a:conclusion"].role is Role.CONCLUSION


def test_a_theorem_may_single_out_families() -> None:
    checked = register("a:h", within=("tall", "eps 0"), refuted_by=("generic", *REFUTED))["a:h"]
    assert [f.name for f in checked.families] == ["tall"]  # a hypothesis is judged where ε > 0
    concluded = register("a:conclusion", within=("tall", "eps 0"), rejects=MUTANT)
    assert [f.name for f in concluded["a:conclusion"].families] == ["tall", "eps 0"]


@pytest.mark.parametrize(
    ("keys", "how", "message"),
    [
        ((), {}, "at least one key"),
        (("a",), {}, "expected Declaration:binder but got key='a'"),
        ((":h",), {}, "expected Declaration:binder"),
        (("a:",), {}, "expected Declaration:binder"),
        (("a:h", "a:conclusion"), {}, "hypotheses or of conclusions but got"),
        (("a:h", "a:h"), {"refuted_by": REFUTED}, "'a:h' is registered already"),
        (("a:h",), {}, "families that refute it"),
        (("a:h",), {"refuted_by": ("generic",)}, "expected refuting families .* but got 'generic'"),
        (("a:h",), {"refuted_by": ("no such",)}, "but got 'no such'"),
        (("a:h",), {"within": ("no such",)}, "expected families among .* but got 'no such'"),
        (("a:h",), {"within": REFUTED}, "expected families among"),
        (
            ("a:h",),
            {"within": ("tall",), "refuted_by": ("tall",)},
            "expected refuting families .* but got 'tall'",
        ),
        (("a:conclusion",), {}, "mutants that it rejects"),
        (
            ("a:h",),
            {"refuted_by": REFUTED, "sizes": ("width",)},
            "sizes among .* got \\['width'\\]",
        ),
        (("a:h",), {"refuted_by": REFUTED, "measure": bare}, "expected a docstring"),
    ],
)
def test_a_wrong_declaration_is_refused(
    keys: tuple[str, ...], how: dict[str, Any], message: str
) -> None:
    with pytest.raises(RegistrationError, match=message):
        register(*keys, **how)


def test_a_key_has_one_check() -> None:
    registry = register("a:h", refuted_by=REFUTED)
    with pytest.raises(RegistrationError, match="'a:h' is registered already"):
        register("b:h", "a:h", refuted_by=REFUTED, into=registry)
    assert set(registry) == {"a:h"}


def test_every_graph_is_asked_for_once() -> None:
    checks = list(pairs().values())
    requests = graph_requests(checks)
    assert len(set(requests)) == len(requests)
    assert graph_requests(checks * 2) == requests
    sizes = {request.sizes for request in requests if request.name == "layerNormGraph"}
    assert (("seqLen", 1), ("dModel", 8)) in sizes
    assert (("seqLen", 4), ("dModel", 1)) in sizes


def test_the_project_registers_its_checks() -> None:
    assert "layerNorm_std_ne_zero_iff:conclusion" in registered()
    with pytest.raises(TypeError):
        registered()["x:y"] = None  # type: ignore[index]
