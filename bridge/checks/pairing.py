"""Which check judges which obligation: one registered for its key, else by its statement's form."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from types import MappingProxyType

from bridge.checking.registry import (
    Check,
    graph_requests,
    registered,
)
from bridge.checks.by_form import FORMULAS, checks_of, requests_of_forms
from bridge.checks.forms import Exported, Form, form_of_binder, form_of_conclusion
from bridge.lean.library import Library
from bridge.lean.requests import GraphRequest as LeanRequest
from bridge.verdict import Role
from numeric.propositions.terms import Theorem

__all__ = ["forms_of", "paired", "wanted_graphs"]

_LAST: list[tuple[tuple[object, ...], dict[str, int], Mapping[str, Check]]] = []
"""The last pairing, with its inputs: an audit needs it for every obligation."""


def wanted_graphs() -> tuple[LeanRequest, ...]:
    """Every graph that a check may run on, as requests to Lean."""
    every = dict.fromkeys((*graph_requests(registered().values()), *requests_of_forms()))
    return tuple(LeanRequest(r.name, r.sizes) for r in every)


def paired(library: Library) -> Mapping[str, Check]:
    """Every check by the key of its obligation.

    The result is the same object for the same terms, graphs and keys, whatever Lean's kernels say.
    """
    own = registered()
    state = {key: id(check) for key, check in own.items()}
    follows_from = (library.statements, library.theory, library.graphs)
    for those, own_then, found in _LAST:
        if own_then == state and all(map(operator.is_, those, follows_from)):
            return found
    by_form = checks_of({k: f for k, f in forms_of(library).items() if k not in own})
    found = MappingProxyType({**by_form, **own})
    _LAST[:] = [(follows_from, state, found)]
    return found


def forms_of(library: Library) -> dict[str, Form]:
    """The form of each obligation that has one, by its key; empty without the statements' terms."""
    if library.theory is None:
        return {}
    exported = _exported(library)
    theorems = library.by_declaration(library.theory.theorems)
    found: dict[str, Form] = {}
    for o in library.obligations:
        theorem = theorems.get(o.declaration)
        if theorem is None or o.role is Role.FIDELITY:
            continue
        if o.role is Role.CONCLUSION:
            form = form_of_conclusion(theorem, FORMULAS)
        else:
            level = _level(theorem, o.binder)
            form = None if level is None else form_of_binder(theorem, level, exported)
        if form is not None and form.graph in exported:
            found[o.key] = form
    return found


def _level(theorem: Theorem, binder: str) -> int | None:
    """The level of the hypothesis with this name; an unnamed one cannot be identified."""
    found = [i for i, b in enumerate(theorem.binders) if b.name == binder and b.role == "proof"]
    return found[0] if len(found) == 1 else None


def _exported(library: Library) -> dict[str, Exported]:
    """The exported graphs, with the saved tensor that each constant is added to."""
    found = {}
    for family in library.graphs.families:
        constants = tuple(name for name, _ in family.constants)
        graph = library.graphs.usual(family) or {}
        nodes = graph.get("nodes")
        found[family.short] = Exported(constants, _added(nodes), _masked(nodes))
    return found


def _masked(nodes: object) -> str:
    """The name of the one node that a mask makes; empty if there are several or none."""
    names = [str(node.get("name")) for node in (nodes if isinstance(nodes, list) else [])]
    kept = [name for name in names if name.rpartition(".")[2] == "kept"]
    return kept[0] if len(kept) == 1 else ""


def _added(nodes: object) -> dict[str, str]:
    """The name of the node that adds each symbol; none if several do, as in a stack of blocks."""
    found: dict[str, list[str]] = {}
    for node in nodes if isinstance(nodes, list) else []:
        match node:
            case {"op": "addConst", "name": str(name), "params": {"symbol": str(symbol)}}:
                found.setdefault(symbol, []).append(name)
    return {symbol: names[0] for symbol, names in found.items() if len(names) == 1}
