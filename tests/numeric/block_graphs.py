"""The graphs of the block and its parts, written by hand as Lean exports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from numeric.graph import Graph, parse_graph
from tests.numeric.decoder_graphs import DECODERS
from tests.numeric.model_graphs import MODELS
from tests.numeric.t5_graphs import T5
from tests.numeric.writer import Shape, Writer


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
    """`PostNorm.encoderGraph` of copies of a block's graph, each with its own inputs."""
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
_WRITERS: dict[str, tuple[Callable[..., Writer], Sequence[str]]] = {
    **DECODERS,
    **MODELS,
    **T5,
    "preNormQuickGeluBlockGraph": (partial(pre_norm_block, activation="quick"), _BLOCK_SIZES),
    "geluEncoderBlockGraph": (partial(biased_encoder_block, activation="exact"), _BLOCK_SIZES),
    "reluEncoderBlockGraph": (partial(biased_encoder_block, activation="relu"), _BLOCK_SIZES),
    "preNormReluBlockGraph": (partial(pre_norm_block, activation="relu"), _BLOCK_SIZES),
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
"""The graphs that `written` supports."""


def size_names(name: str) -> Sequence[str]:
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
