"""The graphs of gated, masked and grouped layers and of their blocks, written by hand as Lean
exports them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import sqrt

from tests.numeric.writer import Shape, Writer

Allowed = Callable[[int, int], bool]


def causal(i: int, j: int) -> bool:
    return j <= i


def _window(i: int, j: int) -> bool:
    return i - 2 <= j <= i


class DecoderWriter(Writer):
    """The parts of such graphs."""

    def masked_softmax(self, prefix: str, x: str, allowed: Allowed) -> str:
        *lead, n, m = full = list(self.shapes[x])
        count = lead[0] if lead else 1
        places = [(h, i, j) for h in range(count) for i in range(n) for j in range(m)]
        index = [(h * n + i) * m + j if allowed(i, j) else -1 for h, i, j in places]
        exp = self.node(f"{prefix}exp", "exp", x)
        kept = self.node(f"{prefix}kept", "gather", exp, index=index)
        axis = len(full) - 1
        total = self.node(f"{prefix}sum", "sum", kept, shape=full[:-1], axis=axis)
        inverse = self.node(f"{prefix}inv", "inv", total)
        wide = self.node(f"{prefix}invBroadcast", "broadcast", inverse, shape=full, axis=axis)
        return self.node(f"{prefix}weights", "mul", kept, wide)

    def core(self, p: str, q: str, k: str, v: str, allowed: Allowed) -> str:
        h, n, d = self.shapes[q]
        m, e = self.shapes[k][1], self.shapes[v][2]
        turned = self.node(f"{p}keyT", "transpose", k, shape=[h, d, m], perm=[0, 2, 1])
        scores = self.matmul(f"{p}scores", q, turned)
        scaled = self.constant(f"{p}scaled", "scale", scores, 1 / sqrt(d), "scale")
        weights = self.masked_softmax(f"{p}softmax.", scaled, allowed)
        context = self.matmul(f"{p}context", weights, v)
        back = self.node(f"{p}tokens", "transpose", context, shape=[n, h, e], perm=[1, 0, 2])
        return self.node(f"{p}merged", "reshape", back, shape=[n, h * e])

    def cross(
        self, p: str, x: str, memory: str, heads: int, allowed: Allowed, weights: str = ""
    ) -> str:
        sources = {"q": x, "k": memory, "v": memory}
        for n, source in sources.items():
            self.linear(p + n, source, f"{weights}W{n}", f"{weights}b{n}")
        cut = [self.split(f"{p}{n}Heads", p + n, heads) for n in sources]
        core = self.core(f"{p}core.", cut[0], cut[1], cut[2], allowed)
        return self.linear(f"{p}projected", core, f"{weights}Wo", f"{weights}bo")

    def loss(self, p: str, x: str, first: int = 0) -> str:
        n, classes = full = list(self.shapes[x])
        exp = self.node(f"{p}exp", "exp", x)
        total = self.node(f"{p}sum", "sum", exp, shape=full[:1], axis=1)
        log = self.node(f"{p}logSum", "log", total)
        index = [i * classes + (i + first) % classes for i in range(n)]
        picked = self.node(f"{p}picked", "gather", x, shape=full[:1], index=index)
        losses = self.node(f"{p}losses", "sub", log, picked)
        self.nodes.append(
            {
                "op": "mean",
                "args": [list(self.shapes).index(losses)],
                "params": {"axis": 0},
                "shape": [],
                "name": f"{p}loss",
            }
        )
        self.shapes[f"{p}loss"] = []
        return f"{p}loss"

    def rotary(self, p: str, x: str) -> str:
        h, n, d = shape = list(self.shapes[x])
        half, at = d // 2, [(r, j) for r in range(h * n) for j in range(d)]
        second = [r * d + j + half if j < half else -1 for r, j in at]
        first = [-1 if j < half else r * d + j - half for r, j in at]
        upper = self.node(f"{p}upper", "gather", x, index=second)
        lower = self.node(f"{p}lower", "gather", x, index=first)
        turned = self.node(f"{p}turned", "sub", lower, upper)
        cos = self.node(f"{p}cosBroadcast", "broadcast", "cos", shape=shape, axis=0)
        sin = self.node(f"{p}sinBroadcast", "broadcast", "sin", shape=shape, axis=0)
        straight = self.node(f"{p}straight", "mul", x, cos)
        across = self.node(f"{p}across", "mul", turned, sin)
        return self.node(f"{p}y", "add", straight, across)

    def repeated(self, p: str, x: str, each: int) -> str:
        g, n, d = self.shapes[x]
        copies = self.node(f"{p}.copies", "broadcast", x, shape=[g, each, n, d], axis=1)
        return self.node(f"{p}.heads", "reshape", copies, shape=[g * each, n, d])

    def grouped(self, p: str, x: str, groups: int, each: int, allowed: Allowed) -> str:
        numbers = {"q": groups * each, "k": groups, "v": groups}
        for n in numbers:
            self.matmul(p + n, x, f"W{n}")
        cut = {n: self.split(f"{p}{n}Heads", p + n, h) for n, h in numbers.items()}
        q, k = (self.rotary(f"{p}{n}Rotary.", cut[n]) for n in "qk")
        k, v = self.repeated(f"{p}kShared", k, each), self.repeated(f"{p}vShared", cut["v"], each)
        return self.matmul(f"{p}projected", self.core(f"{p}core.", q, k, v, allowed), "Wo")

    def gated(self, p: str, x: str, act: str) -> str:
        pre = self.matmul(f"{p}gatePre", x, "Wg")
        if act == "silu":
            slope = self.node(f"{p}gate.sigmoid", "sigmoid", pre)
            gate = self.node(f"{p}gate.y", "mul", pre, slope)
        else:
            gate = self.activation(act, f"{p}gate.", pre)
        up = self.matmul(f"{p}up", x, "Wu")
        return self.matmul(f"{p}projected", self.node(f"{p}hidden", "mul", gate, up), "Wd")

    def rms(self, p: str, x: str, gamma: str, symbol: str, offset: bool) -> str:
        full = list(self.shapes[x])
        square = self.node(f"{p}square", "mul", x, x)
        mean = self.node(f"{p}meanSquare", "mean", square, shape=full[:1], axis=1)
        shifted = self.constant(f"{p}meanSquareEps", "addConst", mean, 1e-5, symbol)
        inverse = self.node(f"{p}invRms", "inv", self.node(f"{p}rms", "sqrt", shifted))
        wide = self.node(f"{p}invRmsBroadcast", "broadcast", inverse, shape=full, axis=1)
        normalized = self.node(f"{p}normalized", "mul", x, wide)
        name = "gammaBroadcast"
        if offset:
            gamma = self.constant(f"{p}gain", "addConst", gamma, 1.0)
            name = "gainBroadcast"
        gain = self.node(f"{p}{name}", "broadcast", gamma, shape=full, axis=0)
        return self.node(f"{p}y", "mul", normalized, gain)


def _gate_inputs(d: int, f: int) -> dict[str, Shape]:
    return {"Wg": [d, f], "Wu": [d, f], "Wd": [f, d]}


def gated(n: int, d: int, f: int, *, act: str) -> Writer:
    """`PostNorm.gatedGraph`."""
    w = DecoderWriter({"x": [n, d], **_gate_inputs(d, f)})
    w.gated("", "x", act)
    return w


def rms_offset(n: int, d: int) -> Writer:
    """`PostNorm.rmsNormOffsetGraph`."""
    w = DecoderWriter({"x": [n, d], "gamma": [d]})
    w.rms("", "x", "gamma", "eps", True)
    return w


def softmax_over(n: int, d: int) -> Writer:
    """`PostNorm.softmaxOverGraph`, where row i sees its first i + 1 entries."""
    w = DecoderWriter({"x": [n, d]})
    w.masked_softmax("", "x", causal)
    return w


def cross_entropy(n: int, classes: int) -> Writer:
    """`PostNorm.crossEntropyGraph`, where the target of row i is i modulo the number of classes."""
    w = DecoderWriter({"x": [n, classes]})
    w.loss("", "x")
    return w


def log_softmax(n: int, classes: int) -> Writer:
    """`PostNorm.logSoftmaxGraph`."""
    w = DecoderWriter({"x": [n, classes]})
    exp = w.node("exp", "exp", "x")
    log = w.node("log", "log", w.node("sum", "sum", exp, shape=[n], axis=1))
    wide = w.node("logBroadcast", "broadcast", log, shape=[n, classes], axis=1)
    w.node("y", "sub", "x", wide)
    return w


def rotary(h: int, n: int, d: int) -> Writer:
    """`PostNorm.rotaryGraph`."""
    w = DecoderWriter({"x": [h, n, d], "cos": [n, d], "sin": [n, d]})
    w.rotary("", "x")
    return w


def _projections(d: int, source: int, width: int, out: int) -> dict[str, Shape]:
    return {
        "Wq": [d, width],
        "bq": [width],
        "Wk": [source, width],
        "bk": [width],
        "Wv": [source, width],
        "bv": [width],
        "Wo": [width, out],
        "bo": [out],
    }


def cross(n: int, m: int, d: int, e: int, heads: int, head_dim: int, visible: int) -> Writer:
    """`PostNorm.crossMhaGraph`, where the first tokens of the memory are not padding."""
    inputs: dict[str, Shape] = {"x": [n, d], "memory": [m, e]}
    w = DecoderWriter({**inputs, **_projections(d, e, heads * head_dim, d)})
    w.cross("", "x", "memory", heads, lambda i, j: j < visible)
    return w


def _grouped_inputs(n: int, d: int, g: int, r: int, k: int) -> dict[str, Shape]:
    return {
        "x": [n, d],
        "Wq": [d, g * r * k],
        "Wk": [d, g * k],
        "Wv": [d, g * k],
        "Wo": [g * r * k, d],
        "cos": [n, k],
        "sin": [n, k],
    }


def grouped(n: int, d: int, g: int, r: int, k: int) -> Writer:
    """`PostNorm.groupedMhaGraph` with a causal mask."""
    w = DecoderWriter(_grouped_inputs(n, d, g, r, k))
    w.grouped("", "x", g, r, causal)
    return w


def gated_block(
    n: int, d: int, g: int, r: int, k: int, f: int, *, act: str, allowed: Allowed, offset: bool
) -> Writer:
    """`PostNorm.gatedBlockGraph`."""
    norms: dict[str, Shape] = {"gamma1": [d], "gamma2": [d]}
    w = DecoderWriter({**_grouped_inputs(n, d, g, r, k), **norms, **_gate_inputs(d, f)})
    first = w.rms("norm1.", "x", "gamma1", "eps1", offset)
    y = w.node("attnResidual", "add", w.grouped("mha.", first, g, r, allowed), "x")
    second = w.rms("norm2.", y, "gamma2", "eps2", offset)
    w.node("ffnResidual", "add", w.gated("ffn.", second, act), y)
    return w


def gpt2_block(n: int, d: int, heads: int, head_dim: int, f: int) -> Writer:
    """`PostNorm.gpt2BlockGraph`."""
    tokens: dict[str, Shape] = {"x": [n, d]}
    norms: dict[str, Shape] = {x: [d] for x in ("gamma1", "beta1", "gamma2", "beta2")}
    maps: dict[str, Shape] = {"W1": [d, f], "b1": [f], "W2": [f, d], "b2": [d]}
    w = DecoderWriter({**tokens, **_projections(d, d, heads * head_dim, d), **norms, **maps})
    first = w.norm("norm1.", "x", "gamma1", "beta1", "eps1")
    y = w.node("attnResidual", "add", w.cross("mha.", first, first, heads, causal), "x")
    second = w.norm("norm2.", y, "gamma2", "beta2", "eps2")
    w.node("ffnResidual", "add", w.feed_forward("ffn.", second), y)
    return w


def decoder_block(
    n: int, m: int, d: int, heads: int, head_dim: int, f: int, visible: int
) -> Writer:
    """`PostNorm.decoderBlockGraph`, where the first tokens of the memory are not padding."""
    tokens: dict[str, Shape] = {"x": [n, d], "memory": [m, d]}
    own = _projections(d, d, heads * head_dim, d)
    other = {f"cross.{name}": shape for name, shape in own.items()}
    norms: dict[str, Shape] = {f"{x}{k}": [d] for k in (1, 2, 3) for x in ("gamma", "beta")}
    maps: dict[str, Shape] = {"W1": [d, f], "b1": [f], "W2": [f, d], "b2": [d]}
    w = DecoderWriter({**tokens, **own, **other, **norms, **maps})
    w.node("attnResidual", "add", w.cross("mha.", "x", "x", heads, causal), "x")
    y = w.norm("norm1.", "attnResidual", "gamma1", "beta1", "eps1")
    attended = w.cross("cross.", y, "memory", heads, lambda i, j: j < visible, "cross.")
    w.node("crossResidual", "add", attended, y)
    z = w.norm("norm2.", "crossResidual", "gamma2", "beta2", "eps2")
    w.node("ffnResidual", "add", w.feed_forward("ffn.", z, "relu"), z)
    w.norm("norm3.", "ffnResidual", "gamma3", "beta3", "eps3")
    return w


_GATED = ("seqLen", "dModel", "dFF")
_GROUPED = ("seqLen", "dModel", "numGroups", "perGroup", "headDim")
_CROSS = ("seqLen", "memoryLen", "dModel", "dMemory", "numHeads", "headDim", "visible")
DECODERS: dict[str, tuple[Callable[..., Writer], Sequence[str]]] = {
    "swiGluGraph": (partial(gated, act="silu"), _GATED),
    "geGluGraph": (partial(gated, act="exact"), _GATED),
    "geGluTanhGraph": (partial(gated, act="gelu"), _GATED),
    "rmsNormOffsetGraph": (rms_offset, ("seqLen", "dModel")),
    "softmaxOverGraph": (softmax_over, ("seqLen", "dModel")),
    "crossEntropyGraph": (cross_entropy, ("seqLen", "classes")),
    "logSoftmaxGraph": (log_softmax, ("seqLen", "classes")),
    "rotaryGraph": (rotary, ("numHeads", "seqLen", "headDim")),
    "crossMhaGraph": (cross, _CROSS),
    "groupedMhaGraph": (grouped, _GROUPED),
    "gpt2BlockGraph": (gpt2_block, ("seqLen", "dModel", "numHeads", "headDim", "dFF")),
    "decoderBlockGraph": (
        decoder_block,
        ("seqLen", "memoryLen", "dModel", "numHeads", "headDim", "dFF", "visible"),
    ),
    "llamaBlockGraph": (
        partial(gated_block, act="silu", allowed=causal, offset=False),
        (*_GROUPED, "dFF"),
    ),
    "mistralBlockGraph": (
        partial(gated_block, act="silu", allowed=_window, offset=False),
        (*_GROUPED, "dFF"),
    ),
    "gemmaBlockGraph": (
        partial(gated_block, act="gelu", allowed=causal, offset=True),
        (*_GROUPED, "dFF"),
    ),
}
"""Writers by the graph's name, each with the names of its sizes in Lean's order."""
