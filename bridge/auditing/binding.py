"""Whether the numbers concern the theorem: which graphs a statement is about.

A check runs on an exported graph.  Its result says something about a theorem only if the theorem is
about that graph (its statement unfolds to the graph's declaration), and if the export follows from
the declaration, so that neither changes without the other.
"""

from __future__ import annotations

from bridge.checking import Check
from bridge.checking.store import is_ours
from bridge.lean.library import Library
from bridge.lean.obligation import Obligation
from bridge.verdict import Role

__all__ = ["why_unbound"]


def why_unbound(library: Library, obligation: Obligation, check: Check) -> str:
    """Why the numbers of ``check`` say nothing about the obligation; empty if they may.

    The library's own checks may also run on a graph that is made of the theorem's graph, as the
    block is made of LayerNorm.
    """
    family = next((f for f in library.graphs.families if f.short == check.graph), None)
    if family is None or family.parts is None:  # not exported; or locked by an earlier version
        return ""
    if not family.follows:
        return (
            f"the exported graph {check.graph} does not follow from {family.name}: it is written "
            "out next to it, so that one can change without the other, and its numbers need not be "
            "the theorem's; make its GraphFamily from the definition"
        )
    if obligation.role is Role.FIDELITY:
        return ""
    theorem = library.statement_of(obligation)
    speaks_of = library.statements.closure(theorem.uses)
    if family.name in speaks_of or (is_ours(check) and family.parts & speaks_of):
        return ""
    there = sorted(f.short for f in library.graphs.families if f.name in speaks_of)
    known = f"; it speaks of {', '.join(there)}" if there else "; it speaks of no exported graph"
    return (
        f"the theorem does not speak of {check.graph}, the graph that the check {check.name} runs "
        f"on{known}"
    )
