"""The graphs of the block and its parts, written by hand as Lean exports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import pi, sqrt
from typing import Any

from numeric.graph import Graph, parse_graph

Shape = Sequence[int]


class Writer:
    """Collects the nodes of one graph; values are known by name."""

    def __init__(self, inputs: dict[str, Shape]) -> None:
        self.inputs = inputs
        self.shapes: dict[str, Shape] = dict(inputs)
        self.nodes: list[dict[str, Any]] = []

    def node(self, name: str, op: str, *args: str, shape: Shape = (), **params: Any) -> str:
        names = list(self.shapes)
        shape = shape or self.shapes[args[0]]
        self.nodes.append(
            {
                "op": op,
                "args": [names.index(a) for a in args],
                "params": params,
                "shape": list(shape),
                "name": name,
            }
        )
        self.shapes[name] = shape
        return name

    def matmul(self, name: str, a: str, b: str) -> str:
        left, right = self.shapes[a], self.shapes[b]
        return self.node(name, "matmul", a, b, shape=[*left[:-1], right[-1]])

    def constant(self, name: str, op: str, arg: str, c: float, symbol: str | None = None) -> str:
        named: dict[str, Any] = {} if symbol is None else {"symbol": symbol}
        return self.node(name, op, arg, c=c, **named)

    def split(self, prefix: str, arg: str, heads: int) -> str:
        rows, width = self.shapes[arg]
        cut = self.node(f"{prefix}.split", "reshape", arg, shape=[rows, heads, width // heads])
        return self.node(
            f"{prefix}.heads", "transpose", cut, shape=[heads, rows, width // heads], perm=[1, 0, 2]
        )

    def attention(self, prefix: str, x: str, heads: int, head_dim: int) -> str:
        def n(name: str) -> str:
            return prefix + name

        seq_len = self.shapes[x][0]
        q, k, v = (self.matmul(n(p), x, f"W{p}") for p in "qkv")
        qh, kh, vh = (
            self.split(n(f"{p}Heads"), a, heads) for p, a in (("q", q), ("k", k), ("v", v))
        )
        kt = self.node(n("keyT"), "transpose", kh, shape=[heads, head_dim, seq_len], perm=[0, 2, 1])
        scores = self.matmul(n("scores"), qh, kt)
        scaled = self.constant(n("scaled"), "scale", scores, 1 / sqrt(head_dim), "scale")
        p = self.softmax(n("softmax."), scaled)
        context = self.matmul(n("context"), p, vh)
        back = self.node(
            n("tokens"), "transpose", context, shape=[seq_len, heads, head_dim], perm=[1, 0, 2]
        )
        merged = self.node(n("merged"), "reshape", back, shape=[seq_len, heads * head_dim])
        return self.matmul(n("projected"), merged, "Wo")

    def softmax(self, prefix: str, x: str) -> str:
        full = self.shapes[x]
        last = len(full) - 1
        e = self.node(f"{prefix}exp", "exp", x)
        z = self.node(f"{prefix}sum", "sum", e, shape=full[:-1], axis=last)
        r = self.node(f"{prefix}inv", "inv", z)
        wide = self.node(f"{prefix}invBroadcast", "broadcast", r, shape=full, axis=last)
        return self.node(f"{prefix}weights", "mul", e, wide)

    def gelu(self, prefix: str, x: str) -> str:
        square = self.node(f"{prefix}square", "mul", x, x)
        cube = self.node(f"{prefix}cube", "mul", square, x)
        cubic = self.constant(f"{prefix}cubic", "scale", cube, 0.044715, "geluA")
        inner = self.node(f"{prefix}inner", "add", x, cubic)
        arg = self.constant(f"{prefix}arg", "scale", inner, sqrt(2 / pi), "geluK")
        t = self.node(f"{prefix}tanh", "tanh", arg)
        shifted = self.constant(f"{prefix}shifted", "addConst", t, 1.0)
        half = self.constant(f"{prefix}half", "scale", x, 0.5)
        return self.node(f"{prefix}y", "mul", half, shifted)

    def activation(self, which: str, prefix: str, x: str) -> str:
        if which == "gelu":
            return self.gelu(prefix, x)
        if which == "relu":
            return self.node(f"{prefix}y", "relu", x)
        cdf = self.node(f"{prefix}cdf", "normalCdf", x)
        return self.node(f"{prefix}y", "mul", x, cdf)

    def biased_attention(self, p: str, heads: int, head_dim: int, x: str = "x") -> str:
        seq_len = self.shapes[x][0]
        q, k, v = (self.linear(p + n, x, f"W{n}", f"b{n}") for n in "qkv")
        qh, kh, vh = (
            self.split(f"{p}{n}Heads", a, heads) for n, a in (("q", q), ("k", k), ("v", v))
        )
        turned = [heads, head_dim, seq_len]
        kt = self.node(f"{p}keyT", "transpose", kh, shape=turned, perm=[0, 2, 1])
        scores = self.matmul(f"{p}scores", qh, kt)
        scaled = self.constant(f"{p}scaled", "scale", scores, 1 / sqrt(head_dim), "scale")
        full = self.shapes[scaled]
        wide = self.node(f"{p}maskBroadcast", "broadcast", "mask", shape=full, axis=0)
        masked = self.node(f"{p}masked", "add", scaled, wide)
        context = self.matmul(f"{p}context", self.softmax(f"{p}softmax.", masked), vh)
        back = [seq_len, heads, head_dim]
        tokens = self.node(f"{p}tokens", "transpose", context, shape=back, perm=[1, 0, 2])
        width = [seq_len, heads * head_dim]
        merged = self.node(f"{p}merged", "reshape", tokens, shape=width)
        return self.linear(f"{p}projected", merged, "Wo", "bo")

    def linear(self, prefix: str, x: str, weight: str, bias: str) -> str:
        y = self.matmul(f"{prefix}.matmul", x, weight)
        b = self.node(f"{prefix}.bias", "broadcast", bias, shape=self.shapes[y], axis=0)
        return self.node(prefix, "add", y, b)

    def feed_forward(self, prefix: str, x: str, activation: str = "gelu") -> str:
        def n(name: str) -> str:
            return prefix + name

        u = self.linear(n("hiddenPre"), x, "W1", "b1")
        active = self.activation(activation, n("hiddenAct."), u)
        return self.linear(n("projected"), active, "W2", "b2")

    def norm(self, prefix: str, x: str, gamma: str, beta: str, symbol: str) -> str:
        def n(name: str) -> str:
            return prefix + name

        full = self.shapes[x]
        rows = full[:-1]
        mean = self.node(n("mean"), "mean", x, shape=rows, axis=1)
        wide = self.node(n("meanBroadcast"), "broadcast", mean, shape=full, axis=1)
        centered = self.node(n("centered"), "sub", x, wide)
        square = self.node(n("square"), "mul", centered, centered)
        var = self.node(n("var"), "mean", square, shape=rows, axis=1)
        shifted = self.constant(n("varEps"), "addConst", var, 1e-5, symbol)
        std = self.node(n("std"), "sqrt", shifted)
        inv = self.node(n("invStd"), "inv", std)
        wide = self.node(n("invStdBroadcast"), "broadcast", inv, shape=full, axis=1)
        normalized = self.node(n("normalized"), "mul", centered, wide)
        g = self.node(n("gammaBroadcast"), "broadcast", gamma, shape=full, axis=0)
        scaled = self.node(n("scaled"), "mul", normalized, g)
        b = self.node(n("betaBroadcast"), "broadcast", beta, shape=full, axis=0)
        return self.node(n("y"), "add", scaled, b)

    def json(self, name: str, sizes: dict[str, int]) -> dict[str, Any]:
        return {
            "schema": "obligations-graph/1",
            "name": name,
            "declaration": f"PostNorm.{name}",
            "sizes": sizes,
            "inputs": [{"name": n, "shape": list(s)} for n, s in self.inputs.items()],
            "nodes": self.nodes,
            "outputs": [len(self.shapes) - 1],
        }


def _attention_inputs(seq_len: int, d: int, width: int) -> dict[str, Shape]:
    return {
        "x": [seq_len, d],
        **dict.fromkeys(("Wq", "Wk", "Wv"), (d, width)),
        "Wo": [width, d],
    }


def _feed_forward_inputs(d: int, d_ff: int) -> dict[str, Shape]:
    return {"W1": [d, d_ff], "b1": [d_ff], "W2": [d_ff, d], "b2": [d]}


def mha(seq_len: int, d: int, heads: int, head_dim: int) -> Writer:
    """`PostNorm.mhaGraph`."""
    w = Writer(_attention_inputs(seq_len, d, heads * head_dim))
    w.attention("", "x", heads, head_dim)
    return w


def _biased_inputs(seq_len: int, d: int, width: int) -> dict[str, Shape]:
    projections = {f"{w}{p}": s for p in "qkv" for w, s in (("W", (d, width)), ("b", (width,)))}
    return {
        "x": [seq_len, d],
        **projections,
        "Wo": [width, d],
        "bo": [d],
        "mask": [seq_len, seq_len],
    }


def biased_mha(seq_len: int, d: int, heads: int, head_dim: int) -> Writer:
    """`PostNorm.biasedMhaGraph`."""
    w = Writer(_biased_inputs(seq_len, d, heads * head_dim))
    w.biased_attention("", heads, head_dim)
    return w


def _biased_block(seq_len: int, d: int, width: int, d_ff: int) -> Writer:
    return Writer(
        {
            **_biased_inputs(seq_len, d, width),
            **dict.fromkeys(("gamma1", "beta1", "gamma2", "beta2"), (d,)),
            **_feed_forward_inputs(d, d_ff),
        }
    )


def pre_norm_block(
    seq_len: int, d: int, heads: int, head_dim: int, d_ff: int, activation: str
) -> Writer:
    """`PostNorm.preNormBlockGraph` with an activation."""
    w = _biased_block(seq_len, d, heads * head_dim, d_ff)
    first = w.norm("norm1.", "x", "gamma1", "beta1", "eps1")
    branch = w.biased_attention("mha.", heads, head_dim, first)
    y = w.node("attnResidual", "add", branch, "x")
    second = w.norm("norm2.", y, "gamma2", "beta2", "eps2")
    w.node("ffnResidual", "add", w.feed_forward("ffn.", second, activation), y)
    return w


def rms_norm(seq_len: int, d: int) -> Writer:
    """`PostNorm.rmsNormGraph`."""
    w = Writer({"x": [seq_len, d], "gamma": [d]})
    square = w.node("square", "mul", "x", "x")
    mean = w.node("meanSquare", "mean", square, shape=[seq_len], axis=1)
    rms = w.node("rms", "sqrt", w.constant("meanSquareEps", "addConst", mean, 1e-5, "eps"))
    inverse = w.node("invRms", "inv", rms)
    wide = w.node("invRmsBroadcast", "broadcast", inverse, shape=[seq_len, d], axis=1)
    normalized = w.node("normalized", "mul", "x", wide)
    gamma = w.node("gammaBroadcast", "broadcast", "gamma", shape=[seq_len, d], axis=0)
    w.node("y", "mul", normalized, gamma)
    return w


def biased_encoder_block(
    seq_len: int, d: int, heads: int, head_dim: int, d_ff: int, activation: str = "gelu"
) -> Writer:
    """`PostNorm.biasedEncoderBlockGraph`, or `PostNorm.postNormBlockGraph` with an activation."""
    w = _biased_block(seq_len, d, heads * head_dim, d_ff)
    w.node("attnResidual", "add", w.biased_attention("mha.", heads, head_dim), "x")
    y = w.norm("norm1.", "attnResidual", "gamma1", "beta1", "eps1")
    w.node("ffnResidual", "add", w.feed_forward("ffn.", y, activation), y)
    w.norm("norm2.", "ffnResidual", "gamma2", "beta2", "eps2")
    return w


def ffn(seq_len: int, d: int, d_ff: int) -> Writer:
    """`PostNorm.ffnGraph`."""
    w = Writer({"x": [seq_len, d], **_feed_forward_inputs(d, d_ff)})
    w.feed_forward("", "x")
    return w


def mha_post_norm(seq_len: int, d: int, heads: int, head_dim: int) -> Writer:
    """`PostNorm.mhaPostNormGraph`."""
    inputs = _attention_inputs(seq_len, d, heads * head_dim)
    w = Writer({**inputs, "gamma": [d], "beta": [d]})
    branch = w.attention("mha.", "x", heads, head_dim)
    w.norm("norm.", w.node("residual", "add", branch, "x"), "gamma", "beta", "eps")
    return w


def seq_ffn_post_norm(seq_len: int, d: int, d_ff: int) -> Writer:
    """`PostNorm.seqFfnPostNormGraph`."""
    inputs = {"x": [seq_len, d], **_feed_forward_inputs(d, d_ff)}
    w = Writer({**inputs, "gamma": [d], "beta": [d]})
    branch = w.feed_forward("ffn.", "x")
    w.norm("norm.", w.node("residual", "add", branch, "x"), "gamma", "beta", "eps")
    return w


def softmax(rows: int, columns: int) -> Writer:
    """`PostNorm.softmaxGraph` of a matrix."""
    w = Writer({"x": [rows, columns]})
    w.softmax("", "x")
    return w


def gelu(rows: int, columns: int) -> Writer:
    """`PostNorm.geluGraph` of a matrix."""
    w = Writer({"x": [rows, columns]})
    w.gelu("", "x")
    return w


def encoder_ffn_residual(seq_len: int, d: int, heads: int, head_dim: int, d_ff: int) -> Writer:
    """`PostNorm.encoderFfnResidualGraph`."""
    w = Writer(
        {
            **_attention_inputs(seq_len, d, heads * head_dim),
            **dict.fromkeys(("gamma1", "beta1", "gamma2", "beta2"), (d,)),
            **_feed_forward_inputs(d, d_ff),
        }
    )
    branch = w.attention("mha.", "x", heads, head_dim)
    residual = w.node("attnResidual", "add", branch, "x")
    y = w.norm("norm1.", residual, "gamma1", "beta1", "eps1")
    w.node("ffnResidual", "add", w.feed_forward("ffn.", y), y)
    return w


def encoder_block(seq_len: int, d: int, heads: int, head_dim: int, d_ff: int) -> Writer:
    """`PostNorm.encoderBlockGraph`."""
    w = encoder_ffn_residual(seq_len, d, heads, head_dim, d_ff)
    w.norm("norm2.", "ffnResidual", "gamma2", "beta2", "eps2")
    return w


def _stack(block: Writer, depth: int) -> Writer:
    """`PostNorm.encoderGraph` of copies of a block's graph, each with inputs of its own."""
    w = Writer({"x": block.inputs["x"]})
    for k in range(depth):
        w.inputs |= {f"layer{k}.{n}": s for n, s in block.inputs.items() if n != "x"}
    w.shapes = dict(w.inputs)
    names = list(block.shapes)
    x = "x"
    for k in range(depth):
        for node in block.nodes:
            args = [x if names[a] == "x" else f"layer{k}.{names[a]}" for a in node["args"]]
            name = f"layer{k}.{node['name']}"
            last = w.node(name, node["op"], *args, shape=node["shape"], **node["params"])
        x = last
    return w


def encoder(n: int, d: int, heads: int, head_dim: int, d_ff: int, depth: int) -> Writer:
    """`PostNorm.encoderGraph`."""
    return _stack(encoder_block(n, d, heads, head_dim, d_ff), depth)


def biased_encoder(n: int, d: int, heads: int, head_dim: int, d_ff: int, depth: int) -> Writer:
    """`PostNorm.biasedEncoderGraph`."""
    return _stack(biased_encoder_block(n, d, heads, head_dim, d_ff), depth)


_BLOCK_SIZES = ("seqLen", "dModel", "numHeads", "headDim", "dFF")
_WRITERS: dict[str, tuple[Callable[..., Writer], tuple[str, ...]]] = {
    "geluEncoderBlockGraph": (partial(biased_encoder_block, activation="exact"), _BLOCK_SIZES),
    "reluEncoderBlockGraph": (partial(biased_encoder_block, activation="relu"), _BLOCK_SIZES),
    "preNormGeluBlockGraph": (partial(pre_norm_block, activation="exact"), _BLOCK_SIZES),
    "preNormGeluTanhBlockGraph": (partial(pre_norm_block, activation="gelu"), _BLOCK_SIZES),
    "rmsNormGraph": (rms_norm, ("seqLen", "dModel")),
    "mhaGraph": (mha, ("seqLen", "dModel", "numHeads", "headDim")),
    "biasedMhaGraph": (biased_mha, ("seqLen", "dModel", "numHeads", "headDim")),
    "ffnGraph": (ffn, ("seqLen", "dModel", "dFF")),
    "mhaPostNormGraph": (mha_post_norm, ("seqLen", "dModel", "numHeads", "headDim")),
    "seqFfnPostNormGraph": (seq_ffn_post_norm, ("seqLen", "dModel", "dFF")),
    "softmaxGraph": (softmax, ("seqLen", "dModel")),
    "geluGraph": (gelu, ("seqLen", "dFF")),
    "encoderFfnResidualGraph": (
        encoder_ffn_residual,
        ("seqLen", "dModel", "numHeads", "headDim", "dFF"),
    ),
    "biasedEncoderBlockGraph": (
        biased_encoder_block,
        ("seqLen", "dModel", "numHeads", "headDim", "dFF"),
    ),
    "encoderBlockGraph": (encoder_block, ("seqLen", "dModel", "numHeads", "headDim", "dFF")),
    "encoderGraph": (
        encoder,
        ("seqLen", "dModel", "numHeads", "headDim", "dFF", "depth"),
    ),
    "biasedEncoderGraph": (
        biased_encoder,
        ("seqLen", "dModel", "numHeads", "headDim", "dFF", "depth"),
    ),
}
WRITTEN = tuple(_WRITERS)
"""The graphs that `written` knows."""


def size_names(name: str) -> tuple[str, ...]:
    """The sizes of a graph, in Lean's order."""
    return _WRITERS[name][1]


def written(name: str, sizes: Mapping[str, int]) -> Graph:
    """A graph by its name and sizes."""
    writer, order = _WRITERS[name]
    return parse_graph(writer(*(sizes[s] for s in order)).json(name, dict(sizes)))


def block(
    seq_len: int = 4, heads: int = 2, head_dim: int = 4, d_ff: int = 16, d_model: int | None = None
) -> Graph:
    """The whole block; d_model = heads · head_dim unless it is given."""
    d = heads * head_dim if d_model is None else d_model
    sizes = dict(
        zip(size_names("encoderBlockGraph"), (seq_len, d, heads, head_dim, d_ff), strict=True)
    )
    return written("encoderBlockGraph", sizes)
