"""A graph that replaces the library's: ``--graph FILE``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

from bridge.auditing.graph_fit import Fitted, fit
from bridge.checking import Check, CheckResult, GraphRequest
from bridge.checking.check_run import CheckRun
from bridge.errors import InvalidInputError
from bridge.lean.obligation import Obligation
from bridge.verdict import Verdict
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.instances.families import families_of
from numeric.judge.fidelity import same_function
from numeric.judge.measurement import Measurement
from numeric.mutants.edits import DerivativeMutant, OutputMutant

__all__ = ["StandIn", "about", "graph_computes_its_closed_form", "replaced", "stand_in"]


def graph_computes_its_closed_form(case: Case) -> Measurement:
    """The graph given and the closed form agree in value, in the JVP along random tangents of all
    inputs and in the VJP of a random cotangent, entry by entry, by rules A and B, with Σ|terms|
    from running magnitudes.  Nodes may be called anything, and compute it in another way.
    """
    return same_function(case)


@dataclass(frozen=True, slots=True)
class StandIn:
    """A user's graph next to the library's.

    If it has the library's saved tensors under their names, every check of that graph runs on it.
    Else the theorems are judged on the library's graph, which they are about, and the file by its
    fidelity: whether it computes the same.

    Attributes:
        fitted: the graph, read as one of the library's.
        library: the library's graphs.
        graphs: the same, with the file's graph in place of the library's.
    """

    fitted: Fitted
    library: Mapping[GraphRequest, Graph]
    graphs: Mapping[GraphRequest, Graph]

    @property
    def key(self) -> str:
        """The key of the obligation that the file computes what it should."""
        return f"{self.fitted.graph.name}:fidelity"

    @property
    def decided_by_key(self) -> bool:
        """Whether no other obligation covers all possible errors in the file."""
        return not self.fitted.by_names or bool(self.fitted.doubt)

    @property
    def marks(self) -> tuple[tuple[str, str], ...]:
        """The node of the file where the difference begins, with a note that says so."""
        begins = self.fitted.begins
        if begins is None or not begins.node:
            return ()
        return ((begins.node, "the difference begins here or right after"),)

    def under(self, key: str) -> Mapping[GraphRequest, Graph]:
        """The graphs that the check of an obligation runs on."""
        return self.graphs if self.fitted.by_names or key == self.key else self.library

    def check(self, key: str, check: Check) -> Check:
        """The check of an obligation, adapted to this graph."""
        if self.fitted.by_names or key != self.key:
            return check
        graph = self.fitted.graph
        position = graph.outputs[0] - len(graph.inputs)
        last = graph.nodes[position].name if position >= 0 else ""
        return replace(
            check,
            name=graph_computes_its_closed_form.__name__,
            doc=graph_computes_its_closed_form.__doc__ or "",
            measure=graph_computes_its_closed_form,
            rejects=(
                OutputMutant(1.0 + 1e-6),
                *(DerivativeMutant(way, last, change="one percent") for way in _WAYS if last),
            ),
        )

    def explained(self, key: str, result: CheckResult) -> CheckResult:
        """The result with how the file was read, where a difference begins, and any doubt."""
        if key != self.key:
            return result
        fitted, verdict = self.fitted, result.verdict
        more = [fitted.said]
        if verdict is Verdict.FAILS and not fitted.by_names and fitted.begins is not None:
            more = [fitted.begins.text, *more]
        if verdict is Verdict.HOLDS and fitted.doubt:
            verdict, more = Verdict.INCONCLUSIVE, [fitted.doubt, *more]
        reason = "; ".join(said for said in (result.reason, *more) if said)
        return replace(result, verdict=verdict, reason=reason)


_WAYS: tuple[Literal["jvp", "vjp"], ...] = ("jvp", "vjp")


def stand_in(graphs: Mapping[GraphRequest, Graph], graph: Graph) -> StandIn:
    """Read the graph of a file, and replace the library's with it.

    Raises:
        InvalidInputError: as `bridge.auditing.graph_fit.fit` and `replaced`.
    """
    fitted = fit(graphs, graph)
    return StandIn(fitted, graphs, replaced(graphs, fitted.graph))


def about(
    chosen: tuple[Obligation, ...],
    checks: Mapping[str, Check],
    given: StandIn,
) -> tuple[Obligation, ...]:
    """The obligations without those of theorems that say nothing about a graph of these sizes, such
    as a theorem about a single channel if there are eight, or one that compares it with another
    graph that exists at other sizes; all of them if otherwise none remained.

    Args:
        chosen: the selected obligations.
        checks: by the key of the obligation.
        given: the graph that replaces the library's.
    """
    name = given.fitted.graph.name

    def speaks(obligation: Obligation) -> bool:
        check = checks.get(obligation.key)
        if check is None or name not in (check.graph, check.beside):
            return True
        run = CheckRun(check, (), given.under(obligation.key), obligation.key, 0)
        return any(run.fits(family) for family in check.families)

    return tuple(o for o in chosen if speaks(o)) or chosen


def replaced(graphs: Mapping[GraphRequest, Graph], graph: Graph) -> dict[GraphRequest, Graph]:
    """The graphs, with every member of one family replaced by the given one.

    Constants that no instance chooses, such as the attention's scale, may differ.

    Raises:
        InvalidInputError: no check runs on a graph of that name, or it lacks an input, a size, or a
            constant that instances choose, that the library's has; or its sizes are not those of
            its inputs.
    """
    if not any(r.name == graph.name for r in graphs):
        known = ", ".join(sorted({r.name for r in graphs}))
        raise InvalidInputError(
            f"--graph: no check runs on a graph called {graph.name!r}",
            remedy=f'write as its "name" what it should be one of: {known}',
        )
    ours = next(g for r, g in graphs.items() if r.name == graph.name)
    _refuse_missing(graph, "input", [i.name for i in ours.inputs], [i.name for i in graph.inputs])
    _refuse_sizes(graph, ours)
    drawn = {s for f in families_of(graph.name) for s in f.constants}
    chosen = [s for s in ours.symbols if s.startswith("eps") or s in drawn]
    _refuse_missing(graph, "constant", chosen, graph.symbols)
    return {r: graph if r.name == graph.name else g for r, g in graphs.items()}


_AXES = {
    "x": (("seqLen",), ("dModel",)),
    "Wq": (("dModel",), ("numHeads", "headDim")),
    "W1": (("dModel",), ("dFF",)),
}
"""What each axis of an input is: a product of sizes."""


def _refuse_sizes(graph: Graph, ours: Graph) -> None:
    """Raise if the sizes cannot be the graph's: closed forms cut heads by them."""
    remedy = "correct the sizes in the file"
    for name in ours.sizes:
        if graph.sizes.get(name, 0) < 1:
            found = graph.sizes.get(name, "none")
            raise InvalidInputError(
                f"--graph: {graph.name}: expected a size {name} of at least 1 but got {found}",
                remedy=remedy,
            )
    for given in graph.inputs:
        axes = _AXES.get(given.name.rpartition(".")[2], ())
        if not axes or any(name not in ours.sizes for axis in axes for name in axis):
            continue
        if given.shape != tuple(prod(graph.sizes[name] for name in axis) for axis in axes):
            said = " and ".join(f"{n}={graph.sizes[n]}" for axis in axes for n in axis)
            raise InvalidInputError(
                f"--graph: {graph.name}: the input {given.name} has the shape "
                f"{list(given.shape)}, and the sizes say {said}",
                remedy=remedy,
            )


def _refuse_missing(graph: Graph, what: str, wanted: Iterable[str], given: Iterable[str]) -> None:
    missing = sorted(set(wanted) - set(given))
    if missing:
        remedy = "name the inputs as `obligations graph` does"
        if what == "constant":
            remedy = f'give the node that adds it "params": {{"c": …, "symbol": "{missing[0]}"}}'
        raise InvalidInputError(
            f"--graph: {graph.name} has no {what} called {missing[0]!r}, and its checks need one",
            remedy=remedy,
        )
