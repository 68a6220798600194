"""Encoder layers as a capture writes them, right and wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from numeric.graph import Graph
from tests.capture.graphs import Writer

TOKENS, WIDTH, HEADS, HEAD, INNER = 5, 16, 2, 8, 24


@dataclass
class EncoderLayer:
    """A layer, and its variations.

    Attributes:
        activation: ``relu``, ``gelu`` or ``silu``.
        pre_norm: LayerNorm before each branch, not after the sum.
        packed: the three maps of attention in one matrix, as PyTorch has them.
        branch_first: which operand of a residual sum is the branch.
        scaled_queries: the factor of the scores is applied to the queries.
        skips: the second residual sum adds the layer's input, not the first norm's output.
        outside: ε is added to the standard deviation, not to the variance.
        unscaled: the scores have no factor.
        eps: of both norms.
    """

    activation: str = "relu"
    pre_norm: bool = False
    packed: bool = True
    branch_first: bool = False
    scaled_queries: bool = False
    skips: bool = False
    outside: bool = False
    unscaled: bool = False
    eps: float = 1e-5
    writer: Writer = field(init=False)

    def graph(self) -> Graph:
        """The layer as a graph."""
        maps = (
            {"w_in": (3 * WIDTH, WIDTH), "b_in": (3 * WIDTH,)}
            if self.packed
            else {f"{k}_{p}": s for p in "qkv" for k, s in (("w", (WIDTH, WIDTH)), ("b", (WIDTH,)))}
        )
        rows = {f"{k}{n}": (WIDTH,) for n in "12" for k in ("gain", "shift")}
        w = self.writer = Writer(
            **maps,
            w_out=(WIDTH, WIDTH),
            b_out=(WIDTH,),
            w_up=(INNER, WIDTH),
            b_up=(INNER,),
            w_down=(WIDTH, INNER),
            b_down=(WIDTH,),
            **rows,
            x=(TOKENS, WIDTH),
        )
        if self.pre_norm:
            summed = self._sum("sum1", self._attention(self._norm("1", "x")), "x")
            out = self._sum("sum2", self._inner(self._norm("2", summed)), summed)
        else:
            normed = self._norm("1", self._sum("sum1", self._attention("x"), "x"))
            kept = "x" if self.skips else normed
            out = self._norm("2", self._sum("sum2", self._inner(normed), kept))
        return w.graph(out)

    def _sum(self, name: str, branch: str, kept: str) -> str:
        args = (branch, kept) if self.branch_first else (kept, branch)
        return self.writer.node(name, "add", *args, shape=(TOKENS, WIDTH))

    def _linear(self, name: str, x: str, weight: str, bias: str, width: int, inner: int) -> str:
        w, shape = self.writer, (TOKENS, width)
        w.node(f"{name}.weight", "transpose", weight, shape=(inner, width), perm=[1, 0])
        w.node(f"{name}.product", "matmul", x, f"{name}.weight", shape=shape)
        w.node(f"{name}.bias", "broadcast", bias, shape=shape, axis=0)
        return w.node(name, "add", f"{name}.product", f"{name}.bias", shape=shape)

    def _projected(self, x: str) -> tuple[str, ...]:
        if not self.packed:
            return tuple(
                self._linear(f"map_{p}", x, f"w_{p}", f"b_{p}", WIDTH, WIDTH) for p in "qkv"
            )
        w = self.writer
        self._linear("in", x, "w_in", "b_in", 3 * WIDTH, WIDTH)
        w.node("cut", "reshape", "in", shape=(TOKENS, 3, WIDTH))
        w.node("turned", "transpose", "cut", shape=(3, TOKENS, WIDTH), perm=[1, 0, 2])
        found = []
        for k, p in enumerate("qkv"):
            w.node(f"one_{p}", "place", "turned", shape=(1, TOKENS, WIDTH), axis=0, index=[k])
            found.append(w.node(f"map_{p}", "reshape", f"one_{p}", shape=(TOKENS, WIDTH)))
        return tuple(found)

    def _attention(self, x: str) -> str:
        w, heads, square = self.writer, (HEADS, TOKENS, HEAD), (HEADS, TOKENS, TOKENS)
        for p, given in zip("qkv", self._projected(x), strict=True):
            w.node(f"{p}.cut", "reshape", given, shape=(TOKENS, HEADS, HEAD))
            w.node(p, "transpose", f"{p}.cut", shape=heads, perm=[1, 0, 2])
        w.node("keys", "transpose", "k", shape=(HEADS, HEAD, TOKENS), perm=[0, 2, 1])
        queries, scores, factor = "q", "product", HEAD**-0.5
        if self.scaled_queries:
            queries = w.node("scaled", "scale", "q", shape=heads, c=factor)
        w.node("product", "matmul", queries, "keys", shape=square)
        if not self.scaled_queries and not self.unscaled:
            scores = w.node("scaled", "scale", "product", shape=square, c=factor)
        w.node("exp", "exp", scores, shape=square)
        w.node("total", "sum", "exp", shape=square[:2], axis=2)
        w.node("share", "inv", "total", shape=square[:2])
        w.node("shares", "broadcast", "share", shape=square, axis=2)
        w.node("weights", "mul", "exp", "shares", shape=square)
        w.node("mixed", "matmul", "weights", "v", shape=heads)
        w.node("tokens", "transpose", "mixed", shape=(TOKENS, HEADS, HEAD), perm=[1, 0, 2])
        w.node("joined", "reshape", "tokens", shape=(TOKENS, WIDTH))
        return self._linear("out", "joined", "w_out", "b_out", WIDTH, WIDTH)

    def _inner(self, x: str) -> str:
        w, shape = self.writer, (TOKENS, INNER)
        up = self._linear("up", x, "w_up", "b_up", INNER, WIDTH)
        if self.activation == "relu":
            w.node("act", "relu", up, shape=shape)
        else:
            op = {"gelu": "normalCdf", "silu": "sigmoid"}[self.activation]
            w.node("gate", op, up, shape=shape)
            w.node("act", "mul", up, "gate", shape=shape)
        return self._linear("down", "act", "w_down", "b_down", WIDTH, INNER)

    def _norm(self, n: str, x: str) -> str:
        w, rows, wide = self.writer, (TOKENS,), (TOKENS, WIDTH)
        w.node(f"mean{n}", "mean", x, shape=rows, axis=1)
        w.node(f"means{n}", "broadcast", f"mean{n}", shape=wide, axis=1)
        w.node(f"centered{n}", "sub", x, f"means{n}", shape=wide)
        w.node(f"square{n}", "mul", f"centered{n}", f"centered{n}", shape=wide)
        var = w.node(f"var{n}", "mean", f"square{n}", shape=rows, axis=1)
        if self.outside:
            w.node(f"root{n}", "sqrt", var, shape=rows)
            w.node(f"std{n}", "addConst", f"root{n}", shape=rows, c=self.eps)
        else:
            w.node(f"eps{n}", "addConst", var, shape=rows, c=self.eps)
            w.node(f"std{n}", "sqrt", f"eps{n}", shape=rows)
        w.node(f"inv{n}", "inv", f"std{n}", shape=rows)
        w.node(f"invs{n}", "broadcast", f"inv{n}", shape=wide, axis=1)
        w.node(f"normal{n}", "mul", f"centered{n}", f"invs{n}", shape=wide)
        w.node(f"gains{n}", "broadcast", f"gain{n}", shape=wide, axis=0)
        w.node(f"scaled{n}", "mul", f"normal{n}", f"gains{n}", shape=wide)
        w.node(f"shifts{n}", "broadcast", f"shift{n}", shape=wide, axis=0)
        return w.node(f"norm{n}", "add", f"scaled{n}", f"shifts{n}", shape=wide)
