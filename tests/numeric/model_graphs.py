"""The graphs of language models up to their loss, written by hand as Lean exports them: token i is
i modulo the size of the vocabulary, and its target is the next token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

from tests.numeric.decoder_graphs import DecoderWriter, causal, gated_block, gpt2_block
from tests.numeric.writer import Shape, Writer


def _inputs(outside: dict[str, Shape], block: Writer, depth: int) -> DecoderWriter:
    given = dict(outside)
    for k in range(depth):
        given |= {f"layer{k}.{name}": s for name, s in block.inputs.items() if name != "x"}
    return DecoderWriter(given)


def _rows(w: DecoderWriter, n: int) -> str:
    v, d = w.shapes["table"]
    index = [i % v * d + j for i in range(n) for j in range(d)]
    return w.node("embedded.rows", "gather", "table", shape=[n, d], index=index)


def _blocks(w: DecoderWriter, block: Writer, depth: int, x: str) -> str:
    names = list(block.shapes)
    for k in range(depth):

        def own(name: str, k: int = k, x: str = x) -> str:
            if name == "x":
                return x
            return f"layer{k}.{name}" if name in block.inputs else f"blocks.layer{k}.{name}"

        for node in block.nodes:
            args = [own(names[a]) for a in node["args"]]
            name = f"blocks.layer{k}.{node['name']}"
            last = w.node(name, node["op"], *args, shape=node["shape"], **node["params"])
        x = last
    return x


def _head(w: DecoderWriter, normed: str, table: str) -> None:
    v, d = w.shapes[table]
    turned = w.node("tableT", "transpose", table, shape=[d, v], perm=[1, 0])
    w.loss("crossEntropy.", w.matmul("logits", normed, turned), 1)


def gpt2(n: int, d: int, heads: int, head_dim: int, f: int, v: int, depth: int) -> Writer:
    """`PostNorm.gpt2ModelGraph`."""
    block = gpt2_block(n, d, heads, head_dim, f)
    outside: dict[str, Shape] = {"table": [v, d], "positions": [n, d], "gamma": [d], "beta": [d]}
    w = _inputs(outside, block, depth)
    x = w.node("embedded.y", "add", _rows(w, n), "positions")
    x = _blocks(w, block, depth, x)
    _head(w, w.norm("norm.", x, "gamma", "beta", "eps3"), "table")
    return w


def llama(n: int, d: int, g: int, r: int, k: int, f: int, v: int, depth: int) -> Writer:
    """`PostNorm.llamaModelGraph`."""
    block = gated_block(n, d, g, r, k, f, act="silu", allowed=causal, offset=False)
    w = _inputs({"table": [v, d], "gamma": [d], "head": [v, d]}, block, depth)
    x = _blocks(w, block, depth, _rows(w, n))
    _head(w, w.rms("norm.", x, "gamma", "eps3", False), "head")
    return w


def gemma(n: int, d: int, g: int, r: int, k: int, f: int, v: int, depth: int) -> Writer:
    """`PostNorm.gemmaModelGraph`."""
    block = gated_block(n, d, g, r, k, f, act="gelu", allowed=causal, offset=True)
    w = _inputs({"table": [v, d], "gamma": [d]}, block, depth)
    x = w.constant("embedded.y", "scale", _rows(w, n), sqrt(d))
    x = _blocks(w, block, depth, x)
    _head(w, w.rms("norm.", x, "gamma", "eps3", True), "table")
    return w


_GROUPED = ("seqLen", "dModel", "numGroups", "perGroup", "headDim", "dFF", "vocab", "depth")
MODELS: dict[str, tuple[Callable[..., Writer], Sequence[str]]] = {
    "gpt2ModelGraph": (
        gpt2,
        ("seqLen", "dModel", "numHeads", "headDim", "dFF", "vocab", "depth"),
    ),
    "llamaModelGraph": (llama, _GROUPED),
    "gemmaModelGraph": (gemma, _GROUPED),
}
"""Writers by the graph's name, each with the names of its sizes in Lean's order."""
