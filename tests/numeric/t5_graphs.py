"""The graphs of T5's attention and blocks, written by hand as Lean exports them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from tests.numeric.decoder_graphs import Allowed, DecoderWriter
from tests.numeric.writer import Shape, Writer


def _near(encoder: bool, i: int, j: int, buckets: int) -> int:
    half = buckets // 2 if encoder else buckets
    if j <= i:
        return min(i - j, max(half - 1, 0)) % buckets
    return (half + min(j - i, max(half - 1, 0))) % buckets if encoder else 0


class T5Writer(DecoderWriter):
    """The parts of such graphs."""

    def bare(
        self, p: str, x: str, memory: str, heads: int, allowed: Allowed,
        encoder: bool | None, weights: str = "",
    ) -> str:  # fmt: skip
        """Attention without a factor; with biases if ``encoder`` says which."""
        for n, source in {"q": x, "k": memory, "v": memory}.items():
            self.matmul(p + n, source, f"{weights}W{n}")
        q, k, v = (self.split(f"{p}{n}Heads", p + n, heads) for n in "qkv")
        h, n, d = self.shapes[q]
        m = self.shapes[k][1]
        turned = self.node(f"{p}keyT", "transpose", k, shape=[h, d, m], perm=[0, 2, 1])
        scores = self.matmul(f"{p}scores", q, turned)
        if encoder is not None:
            size = self.shapes["table"][0]
            places = [(t, i, j) for t in range(h) for i in range(n) for j in range(m)]
            index = [_near(encoder, i, j, size) * h + t for t, i, j in places]
            bias = self.node(f"{p}bias", "gather", "table", shape=[h, n, m], index=index)
            scores = self.node(f"{p}biased", "add", scores, bias)
        weighed = self.masked_softmax(f"{p}core.softmax.", scores, allowed)
        context = self.matmul(f"{p}core.context", weighed, v)
        back = self.node(f"{p}core.tokens", "transpose", context, shape=[n, h, d], perm=[1, 0, 2])
        merged = self.node(f"{p}core.merged", "reshape", back, shape=[n, h * d])
        return self.matmul(f"{p}projected", merged, f"{weights}Wo")

    def last(self, x: str, gamma: str, symbol: str, gate: bool) -> None:
        normed = self.rms("norm.", x, gamma, symbol, False)
        if gate:
            branch = self.gated("ffn.", normed, "gelu")
        else:
            pre = self.matmul("ffn.hiddenPre", normed, "W1")
            branch = self.matmul(
                "ffn.projected", self.activation("relu", "ffn.hiddenAct.", pre), "W2"
            )
        self.node("residual", "add", branch, x)


def _weights(d: int, width: int) -> dict[str, Shape]:
    return {"Wq": [d, width], "Wk": [d, width], "Wv": [d, width], "Wo": [width, d]}


def _maps(d: int, f: int, gate: bool) -> dict[str, Shape]:
    return {"Wg": [d, f], "Wu": [d, f], "Wd": [f, d]} if gate else {"W1": [d, f], "W2": [f, d]}


def relative(n: int, d: int, heads: int, head_dim: int, buckets: int, visible: int) -> Writer:
    """`PostNorm.relativeMhaGraph`, where the first tokens are not padding."""
    w = T5Writer({"x": [n, d], **_weights(d, heads * head_dim), "table": [buckets, heads]})
    w.bare("", "x", "x", heads, lambda i, j: j < visible, True)
    return w


def encoder_block(
    n: int, d: int, heads: int, head_dim: int, buckets: int, f: int, visible: int, *, gate: bool
) -> Writer:
    """`PostNorm.t5EncoderGraph`."""
    own: dict[str, Shape] = {"x": [n, d], "gamma1": [d], **_weights(d, heads * head_dim)}
    w = T5Writer({**own, "table": [buckets, heads], "gamma2": [d], **_maps(d, f, gate)})
    p = "attention."
    first = w.rms(f"{p}norm.", "x", "gamma1", "eps1", False)
    branch = w.bare(f"{p}mha.", first, first, heads, lambda i, j: j < visible, True)
    y = w.node(f"{p}residual", "add", branch, "x")
    w.last(y, "gamma2", "eps2", gate)
    return w


def decoder_block(
    n: int, m: int, d: int, heads: int, head_dim: int, buckets: int, f: int, visible: int,
    *, gate: bool,
) -> Writer:  # fmt: skip
    """`PostNorm.t5DecoderGraph`."""
    width = heads * head_dim
    own: dict[str, Shape] = {"x": [n, d], "gamma1": [d], **_weights(d, width)}
    other: dict[str, Shape] = {"table": [buckets, heads], "gamma2": [d], "memory": [m, d]}
    other |= {f"cross.{name}": shape for name, shape in _weights(d, width).items()}
    w = T5Writer({**own, **other, "gamma3": [d], **_maps(d, f, gate)})
    first = w.rms("attention.norm.", "x", "gamma1", "eps1", False)
    branch = w.bare("attention.mha.", first, first, heads, lambda i, j: j <= i, False)
    y = w.node("attention.residual", "add", branch, "x")
    second = w.rms("cross.norm.", y, "gamma2", "eps2", False)
    seen = w.bare("cross.mha.", second, "memory", heads, lambda i, j: j < visible, None, "cross.")
    z = w.node("cross.residual", "add", seen, y)
    w.last(z, "gamma3", "eps3", gate)
    return w


_HEADS = ("dModel", "numHeads", "headDim", "buckets")
_ENCODER = ("seqLen", *_HEADS, "dFF", "visible")
_DECODER = ("seqLen", "memoryLen", *_HEADS, "dFF", "visible")
T5: dict[str, tuple[Callable[..., Writer], Sequence[str]]] = {
    "relativeMhaGraph": (relative, ("seqLen", *_HEADS, "visible")),
    "t5EncoderBlockGraph": (partial(encoder_block, gate=False), _ENCODER),
    "t5GatedEncoderBlockGraph": (partial(encoder_block, gate=True), _ENCODER),
    "t5DecoderBlockGraph": (partial(decoder_block, gate=False), _DECODER),
    "t5GatedDecoderBlockGraph": (partial(decoder_block, gate=True), _DECODER),
}
"""Writers by the graph's name, each with the names of its sizes in Lean's order."""
