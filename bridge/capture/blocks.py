"""Which block of the library a captured graph may be: guessed from its structure; Lean decides.

A guess costs little: Lean proves that the graph computes the block's formula, or does not, and no
claim about the graph rests on the guess.  The order of the norms follows from the place of the last
root, the activation from its operation, the sizes from the shapes of attention, and whether there
is a mask from what the exponentials are multiplied by.
"""

from __future__ import annotations

from dataclasses import dataclass

from numeric.graph import Graph, Node

__all__ = ["BLOCKS", "Candidate", "headline", "proposed"]

_POST_NORM = {
    "relu": "reluEncoderBlock",
    "normalCdf": "geluEncoderBlock",
    "tanh": "biasedEncoderBlock",
}
_PRE_NORM = {
    "relu": "preNormReluBlock",
    "normalCdf": "preNormGeluBlock",
    "tanh": "preNormGeluTanhBlock",
    "sigmoid": "preNormQuickGeluBlock",
}
# Their mask is part of the block, and an input of the captured graph.
_MASKED_PRE_NORM = {"tanh": "gpt2Block"}
_MASKED_GATED = {"sigmoid": "llamaBlock"}
BLOCKS = (
    *_POST_NORM.values(),
    *_PRE_NORM.values(),
    *_MASKED_PRE_NORM.values(),
    *_MASKED_GATED.values(),
)
"""The blocks that can be proposed, by the prefix of their theorems' names."""
_HEADLINES = {"biasedEncoderBlock": "biasedEncoderBlock_backprop_eq_adjoint_fderiv_of_pos"}


def headline(block: str) -> str:
    """The theorem that backprop of a block is the adjoint of its formula's derivative."""
    return _HEADLINES.get(block, f"{block}_backprop_eq_adjoint_fderiv")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block of the library at some sizes.

    Attributes:
        block: the prefix of its theorems' names.
        sizes: the block's sizes, by the names of its binders.
    """

    block: str
    sizes: tuple[tuple[str, int], ...]

    @property
    def theorem(self) -> str:
        """The theorem that its graph computes its formula."""
        return f"{self.block}_eval"

    def json(self) -> dict[str, object]:
        """The candidate as ``#prove_graphs`` reads it."""
        return {"theorem": self.theorem, "sizes": dict(self.sizes)}


def proposed(graph: Graph) -> tuple[Candidate, ...]:
    """The blocks that the graph may be; none if it is not built like any."""
    if len(graph.outputs) != 1 or len(graph.shape_of(graph.outputs[0])) != 2:
        return ()
    tokens, width = graph.shape_of(graph.outputs[0])
    weights = [n for n in graph.nodes if n.op == "exp"]
    if len(weights) != 1 or weights[0].shape[-2:] != (tokens, tokens):
        return ()
    scores = _scores(graph, weights[0])
    acts = [(k, n) for k, n in enumerate(graph.nodes) if n.op in {*_POST_NORM, *_PRE_NORM}]
    if scores is None or len(acts) != 1:
        return ()
    ((place, act),) = acts
    roots = [k for k, n in enumerate(graph.nodes) if n.op == "sqrt"]
    if len(roots) != 2 or len(act.shape) != 2:
        return ()
    # RMSNorm takes one mean of a row, LayerNorm two.
    gated = sum(n.op == "mean" for n in graph.nodes) == len(roots)
    masked = _masked(graph, weights[0])
    if gated:
        known = _MASKED_GATED if masked else {}
    elif roots[-1] > place:
        known = _POST_NORM
    else:
        known = _MASKED_PRE_NORM if masked else _PRE_NORM
    block = known.get(act.op)
    if block is None:
        return ()
    heads = weights[0].shape[0] if len(weights[0].shape) == 3 else 1
    groups = _groups(graph, scores, heads)
    shared = {"numGroups": groups, "perGroup": heads // groups} if gated else {"numHeads": heads}
    sizes = {
        "seqLen": tokens,
        "dModel": width,
        **shared,
        "headDim": graph.shape_of(scores.args[0])[-1],
        "dFF": act.shape[-1],
    }
    return (Candidate(block, tuple(sizes.items())),)


def _groups(graph: Graph, scores: Node, heads: int) -> int:
    """How many key heads there are, before they are repeated for the query heads."""
    place = scores.args[1]
    while place >= len(graph.inputs):
        node = graph.nodes[place - len(graph.inputs)]
        if node.op == "broadcast" and len(node.shape) == 4:
            return graph.shape_of(node.args[0])[0]
        if node.op not in {"transpose", "reshape"}:
            break
        place = node.args[0]
    return heads


def _masked(graph: Graph, weights: Node) -> bool:
    """Whether the exponentials are multiplied before they are added up."""
    at = len(graph.inputs) + graph.nodes.index(weights)
    return not any(n.op == "sum" and at in n.args for n in graph.nodes)


def _scores(graph: Graph, weights: Node) -> Node | None:
    """The product of queries and keys below the attention weights."""
    node = weights
    while node.op != "matmul":
        nodes = [graph.nodes[a - len(graph.inputs)] for a in node.args if a >= len(graph.inputs)]
        if not nodes:
            return None
        node = nodes[0]
    return node
