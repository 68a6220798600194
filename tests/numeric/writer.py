"""Collects the nodes of a graph that is written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, sqrt
from typing import Any

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
        if which == "quick":
            steep = self.constant(f"{prefix}steep", "scale", x, 1.702)
            return self.node(
                f"{prefix}y", "mul", x, self.node(f"{prefix}sigmoid", "sigmoid", steep)
            )
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
