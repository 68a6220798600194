"""The graphs of the block and its parts, written by hand as Lean exports them."""

from __future__ import annotations

from collections.abc import Sequence
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
        e = self.node(n("softmax.exp"), "exp", scaled)
        z = self.node(n("softmax.sum"), "sum", e, shape=[heads, seq_len], axis=2)
        r = self.node(n("softmax.inv"), "inv", z)
        full = [heads, seq_len, seq_len]
        rb = self.node(n("softmax.invBroadcast"), "broadcast", r, shape=full, axis=2)
        p = self.node(n("softmax.weights"), "mul", e, rb)
        context = self.matmul(n("context"), p, vh)
        back = self.node(
            n("tokens"), "transpose", context, shape=[seq_len, heads, head_dim], perm=[1, 0, 2]
        )
        merged = self.node(n("merged"), "reshape", back, shape=[seq_len, heads * head_dim])
        return self.matmul(n("projected"), merged, "Wo")

    def linear(self, prefix: str, x: str, weight: str, bias: str) -> str:
        y = self.matmul(f"{prefix}.matmul", x, weight)
        b = self.node(f"{prefix}.bias", "broadcast", bias, shape=self.shapes[y], axis=0)
        return self.node(prefix, "add", y, b)

    def feed_forward(self, prefix: str, x: str) -> str:
        def n(name: str) -> str:
            return prefix + name

        u = self.linear(n("hiddenPre"), x, "W1", "b1")
        square = self.node(n("gelu.square"), "mul", u, u)
        cube = self.node(n("gelu.cube"), "mul", square, u)
        cubic = self.constant(n("gelu.cubic"), "scale", cube, 0.044715, "geluA")
        inner = self.node(n("gelu.inner"), "add", u, cubic)
        arg = self.constant(n("gelu.arg"), "scale", inner, sqrt(2 / pi), "geluK")
        t = self.node(n("gelu.tanh"), "tanh", arg)
        shifted = self.constant(n("gelu.shifted"), "addConst", t, 1.0)
        half = self.constant(n("gelu.half"), "scale", u, 0.5)
        active = self.node(n("hiddenAct"), "mul", half, shifted)
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


def block_json(
    seq_len: int = 4, heads: int = 2, head_dim: int = 4, d_ff: int = 16
) -> dict[str, Any]:
    """The whole block."""
    d = heads * head_dim
    w = Writer(
        {
            "x": [seq_len, d],
            **{name: [d, d] for name in ("Wq", "Wk", "Wv", "Wo")},
            **{name: [d] for name in ("gamma1", "beta1", "gamma2", "beta2")},
            "W1": [d, d_ff],
            "b1": [d_ff],
            "W2": [d_ff, d],
            "b2": [d],
        }
    )
    a = w.attention("mha.", "x", heads, head_dim)
    residual = w.node("attnResidual", "add", "x", a)
    y = w.norm("norm1.", residual, "gamma1", "beta1", "eps1")
    f = w.feed_forward("ffn.", y)
    second = w.node("ffnResidual", "add", y, f)
    w.norm("norm2.", second, "gamma2", "beta2", "eps2")
    sizes = {"seqLen": seq_len, "numHeads": heads, "headDim": head_dim, "dFF": d_ff}
    return w.json("encoderBlockGraph", sizes)


def block(seq_len: int = 4, heads: int = 2, head_dim: int = 4, d_ff: int = 16) -> Graph:
    """The parsed graph of the whole block."""
    return parse_graph(block_json(seq_len, heads, head_dim, d_ff))
