"""A graph from a file is judged by what it computes: other names and rewrites are accepted, a wrong
graph never is, and values locate where it begins to differ."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from bridge.auditing.graph_file import StandIn, stand_in
from bridge.checking import CheckResult, CheckRun, GraphRequest, run_check
from bridge.checking.registry import registered
from bridge.errors import InvalidInputError
from bridge.verdict import Verdict
from numeric.graph import Graph, Input, Node, build_graph, graph_to_json, parse_graph
from numeric.instances.families import FAMILIES, sizes_of
from numeric.mutants.edits import Edit, GraphMutant, edit
from numeric.mutants.planted import PLANTED
from numeric.ops import Constant, Params
from tests.numeric.block_graphs import size_names, written

BLOCK = "encoderBlockGraph"


def library() -> Mapping[GraphRequest, Graph]:
    """What Lean exports of some graphs, at the sizes of two families."""
    found = {}
    for name in (
        BLOCK,
        "reluEncoderBlockGraph",
        "geluEncoderBlockGraph",
        "mhaGraph",
        "rmsNormGraph",
    ):
        for family in FAMILIES.values():
            sizes = sizes_of(family, size_names(name))
            found[GraphRequest(name, sizes)] = written(name, dict(sizes))
    return found


LIBRARY = library()


def block(name: str = BLOCK) -> Graph:
    return written(name, dict(sizes_of(FAMILIES["generic"], size_names(name))))


def judged(graph: Graph, instances: int = 24) -> tuple[StandIn, CheckResult]:
    """The audit's result for the file, parsed from it."""
    given = stand_in(LIBRARY, parse_graph(graph_to_json(graph)))
    check = given.check(given.key, registered()[given.key])
    found = run_check(
        CheckRun(check, [], given.under(given.key), given.key, 0), instances=instances
    )
    return given, given.explained(given.key, found)


def foreign(graph: Graph, *, inputs: bool = True) -> Graph:
    """The same as another program would write it: no names, symbols, declaration or sizes."""
    nodes = []
    for k, n in enumerate(graph.nodes):
        c = n.params.c
        params = n.params if c is None else replace(n.params, c=Constant(c.value))
        nodes.append(Node(f"n{k}", n.op, n.args, params, n.shape))
    given = [Input(f"arg{k}" if inputs else i.name, i.shape) for k, i in enumerate(graph.inputs)]
    return build_graph(
        name="exported", declaration="", sizes={}, inputs=given, nodes=nodes, outputs=graph.outputs
    )


def shuffled(graph: Graph, seed: int = 1, *, inputs: bool = True) -> Graph:
    """Inputs in another order, and nodes in another valid order."""
    draw = random.Random(seed)
    count = len(graph.inputs)
    order = list(range(count))
    if inputs:
        draw.shuffle(order)
    left = set(range(count, count + len(graph.nodes)))
    done = set(order)
    while left:
        ready = sorted(k for k in left if set(graph.nodes[k - count].args) <= done)
        chosen = draw.choice(ready)
        order.append(chosen)
        done.add(chosen)
        left.remove(chosen)
    place = {old: new for new, old in enumerate(order)}
    nodes = [graph.nodes[k - count] for k in order[count:]]
    return build_graph(
        name=graph.name,
        declaration=graph.declaration,
        sizes=graph.sizes,
        inputs=[graph.inputs[k] for k in order[:count]],
        nodes=[replace(n, args=tuple(place[a] for a in n.args)) for n in nodes],
        outputs=[place[o] for o in graph.outputs],
    )


def keys_shifted(graph: Graph) -> Graph:
    """A constant added to all keys, which the softmax ignores."""
    add = Edit("shifted", "addConst", ("mha.k",), constant=0.7, before="mha.v")
    return edit(graph, [add, Edit("mha.kHeads.split", args=("shifted",))])


def scale_in_queries(graph: Graph) -> Graph:
    scaled = Edit("queries", "scale", ("mha.q",), constant=0.5, before="mha.v")
    return edit(
        graph,
        [
            scaled,
            Edit("mha.qHeads.split", args=("queries",)),
            Edit("mha.scaled", constant=1.0),
        ],
    )


def with_identity(graph: Graph) -> Graph:
    same = Edit("same", "reshape", ("norm1.y",), before="ffnResidual")
    return edit(graph, [same, Edit("ffnResidual", args=("same", "ffn.projected"))])


def bias_in_halves(graph: Graph) -> Graph:
    last = "ffn.projected"
    half = Edit("half", "scale", (f"{last}.bias",), constant=0.5, before=last)
    first = Edit("first", "add", (f"{last}.matmul", "half"), before=last)
    return edit(graph, [half, first, Edit(last, args=("first", "half"))])


def as_it_is(graph: Graph) -> Graph:
    return graph


REWRITES: tuple[Callable[[Graph], Graph], ...] = (
    as_it_is,
    keys_shifted,
    scale_in_queries,
    with_identity,
    bias_in_halves,
    shuffled,
)


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda r: r.__name__)
def test_a_rewrite_under_other_names_is_right(rewrite: Callable[[Graph], Graph]) -> None:
    given, found = judged(foreign(rewrite(block())))
    assert found.verdict is Verdict.HOLDS, found.reason
    assert given.fitted.graph.name == BLOCK
    assert "arg0 is x" in found.reason or rewrite is shuffled
    assert "numHeads=2" in found.reason
    assert "eps1=1e-05" in found.reason


@pytest.mark.parametrize("rewrite", [keys_shifted, scale_in_queries], ids=lambda r: r.__name__)
def test_a_rewrite_under_the_library_s_names_is_right(rewrite: Callable[[Graph], Graph]) -> None:
    given, found = judged(rewrite(block()))
    assert found.verdict is Verdict.HOLDS, found.reason
    assert given.under("encoderBlock_eval:conclusion") is given.library, "its scores are others"


def test_the_check_for_a_file_rejects_planted_errors() -> None:
    given = stand_in(LIBRARY, foreign(block()))
    check = given.check(given.key, registered()[given.key])
    assert [m.name for m in check.rejects] == [
        "output times 1.000001",
        "jvp of n65, argument 0: one percent",
        "vjp of n65, argument 0: one percent",
    ]


def planted(name: str) -> GraphMutant:
    found = next(p.mutant for p in PLANTED[BLOCK] if p.mutant.name == name)
    assert isinstance(found, GraphMutant)
    return found


@pytest.mark.parametrize(
    ("error", "node"),
    [
        ("scale 1/head_dim", "n11"),
        ("softmax over the queries", "n13"),
        ("no first skip", "n21"),
        ("b1 left out", "n36"),
        ("GELU's √(2/π) is 0.8", "n43"),
        ("variance divided by d − 1", "n27"),
    ],
)
def test_a_wrong_graph_fails_with_the_place(error: str, node: str) -> None:
    wrong = foreign(planted(error).apply(block()).graph, inputs=False)
    given, found = judged(wrong)
    assert found.verdict is Verdict.FAILS
    assert given.fitted.begins is not None
    assert given.fitted.begins.node == node
    assert f"the difference begins at the node {node} (" in found.reason
    assert found.counterexample is not None


def test_every_planted_error_is_seen_by_values() -> None:
    """Inputs named as the library's: otherwise two swapped inputs give the same block."""
    seen = 0
    for one in PLANTED[BLOCK]:
        if not isinstance(one.mutant, GraphMutant) or "ε" in one.mutant.name:
            continue
        wrong = foreign(one.mutant.apply(block()).graph, inputs=False)
        fitted = stand_in(LIBRARY, replace(wrong, name=BLOCK)).fitted
        assert fitted.begins is not None, one.mutant.name
        assert not fitted.by_names
        seen += 1
    assert seen > 30


def test_the_nearest_of_blocks_that_differ_in_their_activation_is_named() -> None:
    """With wrong scores nothing after them is right: the operations identify the block."""
    name = "geluEncoderBlockGraph"
    wrong = edit(block(name), [Edit("mha.scaled", constant=0.25)])
    fitted = stand_in(LIBRARY, foreign(wrong, inputs=False)).fitted
    assert fitted.graph.name == name
    assert fitted.begins is not None
    assert fitted.begins.text.endswith("mha.scaled")


def test_a_transposed_weight_fails() -> None:
    graph = block()
    turn = Edit("turned", "transpose", ("Wo",), perm=(1, 0), shape=lambda g: (8, 8), before="mha.q")
    wrong = edit(graph, [turn, Edit("mha.projected", args=("mha.merged", "turned"))])
    for name in (BLOCK, "exported"):
        given, found = judged(replace(foreign(wrong, inputs=False), name=name))
        assert found.verdict is Verdict.FAILS, name
        assert given.fitted.graph.name == BLOCK
    assert "it computes none of the library's graphs" in found.reason


def test_another_gelu_fails_where_it_begins() -> None:
    cdf = Edit("cdf", "normalCdf", ("ffn.hiddenPre",), before="ffn.hiddenAct.y")
    exact = edit(block(), [cdf, Edit("ffn.hiddenAct.y", args=("ffn.hiddenPre", "cdf"))])
    _given, found = judged(foreign(exact, inputs=False))
    assert found.verdict is Verdict.FAILS
    assert "ffn.hiddenAct." in found.reason


def test_a_literal_eps_other_than_the_declared_one_is_never_a_pass() -> None:
    wrong = edit(block(), [Edit("norm1.varEps", constant=1e-3)])
    nodes = [
        n if n.name != "norm1.varEps" else replace(n, params=replace(n.params, c=Constant(1e-3)))
        for n in wrong.nodes
    ]
    wrong = build_graph(
        name=BLOCK,
        declaration="",
        sizes={},
        inputs=wrong.inputs,
        nodes=nodes,
        outputs=wrong.outputs,
    )
    given, found = judged(wrong)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "with eps1 = 0.001, and encoderBlockGraph is exported with 1e-05" in found.reason
    assert given.decided_by_key
    given, found = judged(replace(wrong, name="exported"))
    assert found.verdict is Verdict.HOLDS
    assert "eps1=0.001" in found.reason, "undeclared, it is the block with another ε, which is said"


def test_another_value_of_a_symbol_than_the_declared_one_is_never_a_pass() -> None:
    other = {n.name: n for n in block().nodes}["norm1.varEps"]
    nodes = [
        replace(n, params=replace(n.params, c=Constant(1e-3, "eps1"))) if n == other else n
        for n in block().nodes
    ]
    wrong = replace(block(), nodes=tuple(nodes))
    given, found = judged(wrong)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "eps1 = 0.001" in found.reason
    assert given.decided_by_key, "an audit of other obligations alone looks at it too"


def test_inputs_with_the_library_s_names_are_those_inputs() -> None:
    graph = block()
    swap = {"Wq": "Wk", "Wk": "Wq"}
    renamed = [Input(swap.get(i.name, i.name), i.shape) for i in graph.inputs]
    _given, found = judged(foreign(replace(graph, inputs=tuple(renamed)), inputs=False))
    assert found.verdict is Verdict.FAILS
    _free, right = judged(foreign(replace(graph, inputs=tuple(renamed))))
    assert right.verdict is Verdict.HOLDS, "under names of no meaning it is the same block"


@pytest.mark.parametrize("name", ["reluEncoderBlockGraph", "geluEncoderBlockGraph", "rmsNormGraph"])
def test_which_graph_it_is_follows_from_what_it_computes(name: str) -> None:
    assert stand_in(LIBRARY, foreign(block(name))).fitted.graph.name == name


def test_an_unreadable_graph_is_refused_with_a_remedy() -> None:
    with pytest.raises(InvalidInputError) as none_fits:
        stand_in(LIBRARY, foreign(written("ffnGraph", {"seqLen": 4, "dModel": 8, "dFF": 16})))
    assert "no library graph has inputs of these shapes: arg0 [4, 8]" in none_fits.value.message
    with pytest.raises(InvalidInputError, match="no check runs on a graph called 'PostNorm.mine'"):
        stand_in(LIBRARY, replace(block(), declaration="PostNorm.mine"))
    without = replace(block(), inputs=(Input("x", (4, 8)), *block().inputs[1:]))
    assert stand_in(LIBRARY, without).fitted.by_names
    huge = build_graph(
        name="exported",
        declaration="",
        sizes={},
        inputs=[Input("x", (10**6, 10**6))],
        nodes=[],
        outputs=[0],
    )
    with pytest.raises(InvalidInputError, match="1,000,000,000,000 entries"):
        stand_in(LIBRARY, huge)


def test_shapes_that_cannot_fit_are_seen_without_trying_every_order() -> None:
    """Eighteen inputs, one of which has a shape that fits nowhere: 9! · 4! orders fit the rest."""
    graph = block("geluEncoderBlockGraph")
    inputs = [Input(f"arg{k}", i.shape) for k, i in enumerate(graph.inputs)]
    inputs[-1] = Input("arg17", (8, 3))
    nothing = build_graph(
        name="exported", declaration="", sizes={}, inputs=inputs, nodes=[], outputs=[0]
    )
    with pytest.raises(InvalidInputError, match="no library graph has inputs of these shapes"):
        stand_in(LIBRARY, nothing)


def test_an_output_of_another_shape_fails() -> None:
    graph = block()
    last = len(graph.inputs) + len(graph.nodes) - 1
    flatten = Node("flat", "reshape", (last,), Params(None, None, None, None), (32,))
    flat = build_graph(
        name=BLOCK,
        declaration="",
        sizes={},
        inputs=graph.inputs,
        nodes=(*graph.nodes, flatten),
        outputs=[last + 1],
    )
    given, found = judged(foreign(flat, inputs=False))
    assert found.verdict is Verdict.FAILS
    assert "output, which should have the shape [4, 8]" in found.reason
    assert not given.fitted.by_names
