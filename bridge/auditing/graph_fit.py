"""Which library graph a user's graph computes: ``--graph FILE``.

Its values decide.  Its inputs are read by the library's names if it has these, else by shapes and
values; sizes follow from the shapes; a constant ε without a symbol is found by its effect.  A graph
that states a ``declaration``, or has the name of a library graph, is compared with that one; else
the library's graphs are tried one after another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, permutations, product
from math import prod

import numpy as np
import numpy.typing as npt

from bridge.auditing.graph_begins import Place, alike, where_it_begins
from bridge.auditing.graph_sizes import Fit, Signature, fits, signatures
from bridge.checking import GraphRequest
from bridge.errors import InvalidInputError
from numeric.closed_forms.catalogue import CLOSED_FORMS, Arguments
from numeric.closed_forms.details import between
from numeric.graph import Graph, Input, Node, build_graph
from numeric.interpret.interpreter import Interpreter, Trace
from numeric.ops import Array, Constant

__all__ = ["Fitted", "fit"]

FloatArray = npt.NDArray[np.float64]
MOST = 20_000
"""The most ways to read the inputs that are tried; there are more if many have one shape."""
LOOKED_AT = 48
"""The most ways among which the nearest is chosen if none computes the same."""
BATCH = 512
MOST_ENTRIES = 2**26
"""The most entries of all values of one instance: 512 MiB."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A user's graph, read as one of the library's.

    Attributes:
        graph: the file's, with the library's name, inputs, sizes and symbols.
        by_names: whether it has every saved tensor of the library's under its name, and either
            they are right or the graph is wrong: the checks may then look them up in it.  Else the
            theorems are judged on the library's graph, and the file by what it computes.
        said: how it was read, a clause; empty if it is written like the library's.
        begins: where a difference begins; None if there is none.
        doubt: why even a graph that computes the same may not be what was declared.
    """

    graph: Graph
    by_names: bool = True
    said: str = ""
    begins: Place | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to read the file: the inputs, the sizes and each ε."""

    fit: Fit
    constants: Mapping[str, float]


def fit(graphs: Mapping[GraphRequest, Graph], given: Graph) -> Fitted:
    """Read the graph as one of the library's.

    Raises:
        InvalidInputError: it declares a graph that does not exist, no library graph has such
            inputs, no single node adds an ε, or it is too large to run.
    """
    _refuse_huge(given)
    members: dict[str, list[Graph]] = {}
    for request, graph in graphs.items():
        members.setdefault(request.name, []).append(graph)
    declared = _declared(given, members)
    if declared is not None and declared not in CLOSED_FORMS:
        return Fitted(replace(given, name=declared))
    names = [n for n in members if n in CLOSED_FORMS] if declared is None else [declared]
    probe = _Probe(given)
    own = [signature for name in names for signature in signatures(members[name])]
    ways = [(s, islice(_ways(s, given, declared is not None), MOST)) for s in own]
    first = [(s, list(islice(more, LOOKED_AT))) for s, more in ways]
    for signature, some in (*first, *ways):  # the likely ways of all graphs first
        if (right := probe.first_right(signature.member.name, some)) is not None:
            return _read(given, signature, right, probe, declared is not None)
    tried = [(signature, way) for signature, some in first for way in some]
    if not tried:
        return _unreadable(given, declared, members)
    signature, way, place = probe.nearest(tried)
    graph = _named(given, signature, way, _in_turn(given, signature, way))
    there = _names_there(signature, given)
    said = _how(given, signature, way)
    if declared is None:
        said = f"it computes none of the library's graphs, and is nearest to this{_then(said)}"
    return Fitted(graph, by_names=there, said=said, begins=place)


def _then(said: str) -> str:
    return f": {said}" if said else ""


def _refuse_huge(given: Graph) -> None:
    shapes = (*given.input_shapes.values(), *(n.shape for n in given.nodes))
    entries = sum(prod(shape) for shape in shapes)
    if entries > MOST_ENTRIES:
        raise InvalidInputError(
            f"--graph: {given.name}: its values have {entries:,} entries together, and at most "
            f"{MOST_ENTRIES:,} can be run",
            remedy="write the graph at smaller sizes: what it computes is the same",
        )


def _declared(given: Graph, members: Mapping[str, object]) -> str | None:
    """The library graph that the file claims to be."""
    stated = given.declaration
    for name in (stated, stated.rpartition(".")[2]):
        if name in members:
            return name
    if stated and stated != given.name:
        raise InvalidInputError(
            f"--graph: no check runs on a graph called {stated!r}",
            remedy='leave "declaration" out to have it found by what the graph computes, or write '
            f"one of: {', '.join(sorted(members))}",
        )
    return given.name if given.name in members else None


def _unreadable(given: Graph, declared: str | None, members: Mapping[str, list[Graph]]) -> Fitted:
    shapes = ", ".join(f"{i.name} {list(i.shape)}" for i in given.inputs)
    if declared is None:
        raise InvalidInputError(
            f"--graph: no check runs on a graph called {given.name!r}, and no library graph has "
            f"inputs of these shapes: {shapes}",
            remedy="give it the inputs of one of them, in any order and under any names: "
            f"{', '.join(sorted(members))}",
        )
    ours = members[declared][0]
    wanted = sorted(set(ours.input_shapes) - set(given.input_shapes))
    if not wanted or not set(ours.input_shapes) & set(given.input_shapes):
        wanted_shapes = ", ".join(f"{i.name} {list(i.shape)}" for i in ours.inputs)
        sizes = ", ".join(f"{n}={k}" for n, k in ours.sizes.items())
        if not wanted and given.sizes:  # its sizes are not those of its inputs
            return Fitted(replace(given, name=declared))
        raise InvalidInputError(
            f"--graph: the inputs of {declared} cannot have these shapes: {shapes}",
            remedy=f"at {sizes} they are: {wanted_shapes}",
        )
    raise InvalidInputError(
        f"--graph: {declared} has no input called {wanted[0]!r}, and its checks need one; it has: "
        f"{shapes}",
        remedy="name the inputs as `obligations graph` does, or give all of them in any order",
    )


def _ways(signature: Signature, given: Graph, declared: bool) -> Iterator[_Way]:
    ours = signature.member
    eps = [s for s in ours.symbols if s.startswith("eps")]
    small = dict.fromkeys(
        n.params.c.value
        for n in given.nodes
        if n.op == "addConst" and n.params.c is not None and 0 < n.params.c.value < 0.5
    )
    choices = []
    for symbol in eps:
        if symbol in given.symbols:
            choices.append([given.symbols[symbol]])
        else:
            stated = [ours.symbols[symbol]] if declared or not small else []
            choices.append(list(dict.fromkeys((*stated, *small))))
    for one in fits(signature, given.inputs, given.sizes):
        for values in product(*choices):
            yield _Way(one, dict(zip(eps, values, strict=True)))


class _Probe:
    """One instance of the file, and the values of the library's closed forms on it."""

    def __init__(self, given: Graph) -> None:
        draw = np.random.default_rng(0)
        self.feeds: dict[str, FloatArray] = {}
        for one in given.inputs:
            rows = one.shape[0] if len(one.shape) > 1 else 1
            value = draw.standard_normal((1, *one.shape)) / np.sqrt(rows)
            self.feeds[one.name] = value
        self.given = given
        self.trace: Trace = Interpreter(given).evaluate(self.feeds)
        self.output: Array = self.trace.output

    def arguments(self, ways: Sequence[_Way]) -> Arguments:
        """The closed form's arguments if the file is read in each of these ways."""
        inputs: dict[str, list[FloatArray]] = {}
        for way in ways:
            for theirs, ours in way.fit.names.items():
                inputs.setdefault(ours, []).append(self.feeds[theirs])
        constants = {
            s: np.array([way.constants[s] for way in ways], dtype=np.float64)
            for s in ways[0].constants
        }
        stacked = {name: np.concatenate(values) for name, values in inputs.items()}
        return Arguments(stacked, constants, ways[0].fit.sizes)

    def first_right(self, name: str, ways: Iterable[_Way]) -> _Way | None:
        """A way in which the file's output equals the closed form's; early ones are tried first."""
        ways = iter(ways)
        while some := list(islice(ways, BATCH)):
            groups: dict[tuple[object, ...], list[_Way]] = {}
            for way in some:
                groups.setdefault(tuple(way.fit.sizes.items()), []).append(way)
            for group in groups.values():
                with np.errstate(all="ignore"):
                    found = CLOSED_FORMS[name].forward(self.arguments(group))
                if found.shape[1:] != self.output.shape[1:]:
                    continue
                for way, value in zip(group, found, strict=True):
                    if alike(value, self.output[0]):
                        return way
        return None

    def saved(self, signature: Signature, way: _Way) -> dict[str, Array]:
        """The library's tensors on this instance, in the order of its graph."""
        at = self.arguments([way])
        with np.errstate(all="ignore"):
            found = CLOSED_FORMS[signature.member.name].run(at)
            every = {**between(at, found), **found}
        order = {n.name: k for k, n in enumerate(signature.member.nodes)}
        return dict(sorted(every.items(), key=lambda item: order.get(item[0], len(order))))

    def place(self, signature: Signature, way: _Way) -> Place:
        """Where the file differs, read in this way."""
        return where_it_begins(self.trace, self.saved(signature, way), signature.member)

    def nearest(self, tried: Sequence[tuple[Signature, _Way]]) -> tuple[Signature, _Way, Place]:
        """The way with the most of the library's tensors; among equals the one whose graph has the
        most operations in common, else the first."""
        places = [(s, w, self.place(s, w)) for s, w in tried]
        own = Counter(n.op for n in self.given.nodes)

        def near(one: tuple[Signature, _Way, Place]) -> tuple[float, int]:
            other = Counter(n.op for n in one[0].member.nodes)
            return one[2].share, -((own - other).total() + (other - own).total())

        return max(places, key=near)


def _read(given: Graph, signature: Signature, way: _Way, probe: _Probe, declared: bool) -> Fitted:
    """The graph, which computes the library's, with each ε as its symbol."""
    ours = signature.member
    graph = _with_symbols(given, signature, way, probe)
    saved = probe.saved(signature, way)
    same = all(
        n not in graph.input_shapes
        and probe.trace.values[given.index(n)].shape == v.shape
        and alike(probe.trace.values[given.index(n)], v)
        for n, v in saved.items()
        if n in {node.name for node in given.nodes}
    )
    doubt = ""
    for symbol, value in way.constants.items():
        if declared and value != ours.symbols[symbol]:
            doubt = (
                f"it computes {ours.name} with {symbol} = {value:g}, and {ours.name} is exported "
                f"with {ours.symbols[symbol]:g}; leave name and declaration out if any ε will do"
            )
    by_names = same and _names_there(signature, given)
    said = _how(given, signature, way)
    if not by_names:
        said = f"computes {ours.name}{_then(said)}; it is compared with that by its values"
    return Fitted(graph, by_names=by_names, said=said, doubt=doubt)


def _names_there(signature: Signature, given: Graph) -> bool:
    return {n.name for n in signature.member.nodes} <= {n.name for n in given.nodes}


def _how(given: Graph, signature: Signature, way: _Way) -> str:
    """What had to be inferred: inputs, sizes, ε."""
    names = [f"{t} is {o}" for t, o in way.fit.names.items() if t != o]
    sizes = [f"{n}={k}" for n, k in way.fit.sizes.items() if n not in given.sizes]
    eps = [f"{s}={v:g}" for s, v in way.constants.items() if s not in given.symbols]
    return ", ".join((*names, *sizes, *eps))


def _with_symbols(given: Graph, signature: Signature, way: _Way, probe: _Probe) -> Graph:
    """The graph with every ε as a symbol: its node is found by the effect of another value.

    Raises:
        InvalidInputError: no node adds it, so no instance can choose it.
    """
    lacking = [s for s in way.constants if s not in given.symbols]
    if not lacking:
        return _named(given, signature, way, {})
    other = {s: 0.31 + 0.17 * k for k, s in enumerate(way.constants)}
    expected_way = _Way(way.fit, other)
    expected = CLOSED_FORMS[signature.member.name].forward(probe.arguments([expected_way]))
    constants = {s: np.full(1, v) for s, v in other.items()}
    places = _adds(given, [way.constants[s] for s in lacking])
    choices = [_in_turn(given, signature, way)]
    if len(places) == len(lacking):
        choices += [dict(zip(p, lacking, strict=True)) for p in permutations(places)]
    for marks in choices:
        graph = _named(given, signature, way, marks)
        feeds = {way.fit.names[n]: v for n, v in probe.feeds.items()}
        known = {s: v for s, v in constants.items() if s in graph.symbols}
        found = Interpreter(graph).output(feeds, known)
        if len(known) == len(constants) and alike(found, expected):
            return graph
    raise InvalidInputError(
        f"--graph: {given.name} computes {signature.member.name}, but no single node adds "
        f"{lacking[0]} = {way.constants[lacking[0]]:g}, so that no instance can choose it",
        remedy=f'give the node that adds it "params": {{"c": …, "symbol": "{lacking[0]}"}}',
    )


def _adds(given: Graph, values: Sequence[float]) -> list[int]:
    """The nodes that add one of these constants."""
    return [
        k
        for k, n in enumerate(given.nodes)
        if n.op == "addConst" and n.params.c is not None and n.params.c.value in values
    ]


def _in_turn(given: Graph, signature: Signature, way: _Way) -> dict[int, str]:
    """The nodes that may add the ε without a symbol: in turn, as the blocks of a stack do."""
    lacking = [s for s in way.constants if s not in given.symbols]
    places = _adds(given, [way.constants[s] for s in lacking])
    return {p: lacking[k % len(lacking)] for k, p in enumerate(places)} if lacking else {}


def _named(given: Graph, signature: Signature, way: _Way, marks: Mapping[int, str]) -> Graph:
    """The file's graph under the library's names; nodes keep their names if these are free."""
    ours = signature.member
    symbols = set(ours.symbols)
    taken = set(way.fit.names.values())
    used = {n.name for n in given.nodes} | taken
    nodes: list[Node] = []
    for k, n in enumerate(given.nodes):
        name = n.name
        while name in taken or (name != n.name and name in used):
            name += "'"
        taken.add(name)
        params, c = n.params, n.params.c
        if c is not None and k in marks:
            params = replace(params, c=Constant(c.value, marks[k]))
        elif c is not None and c.symbol is not None and c.symbol not in symbols:
            params = replace(params, c=Constant(c.value))
        nodes.append(Node(name, n.op, n.args, params, n.shape))
    return build_graph(
        name=ours.name,
        declaration=ours.declaration,
        # In the order of the file, so that a report about it has the same order.
        sizes={**{n: k for n, k in given.sizes.items() if n in way.fit.sizes}, **way.fit.sizes},
        inputs=[Input(way.fit.names[i.name], i.shape) for i in given.inputs],
        nodes=nodes,
        outputs=given.outputs,
    )
