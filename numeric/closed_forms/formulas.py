"""The closed forms of gated, masked and grouped layers, and of the blocks made of them.

Each is a `closed_forms.formula.Formula`: a few lines that can be compared with the paper, from
which value and derivatives follow.  Saved values have the graph's names.  Masks and lists of
indices in Lean are the same here, with the same sizes.
Source: the declarations of ``lean/PostNorm`` that the graphs are named after, and the papers named
    there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from numeric.closed_forms import formula as f
from numeric.closed_forms.activations import GELU, RELU, SILU, TANH_GELU, Activation
from numeric.closed_forms.form import Arguments, ClosedForm
from numeric.closed_forms.formula import Formula, Term
from numeric.ops import Array

__all__ = [
    "FORMS",
    "WRITTEN_FORMS",
    "Given",
    "WrittenForm",
    "causal",
    "closed",
    "cyclic",
    "gated",
    "gated_block",
    "inside",
    "log_softmax",
    "loss",
    "masked_pre_norm",
    "window",
]

FloatArray = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WINDOW = 2
"""The number of tokens before itself that a token sees in `PostNorm.mistralBlockGraph`, as
exported."""


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of a formula: inputs ``(B, *shape)``, constants ``(B,)``, sizes."""

    inputs: Mapping[str, Array]
    constants: Mapping[str, FloatArray]
    sizes: Mapping[str, int]

    def eps(self, symbol: str) -> FloatArray:
        """An ε; 0 if the graph has lost it."""
        return self.constants.get(symbol, np.zeros(self.count))

    @property
    def count(self) -> int:
        """The number of instances."""
        return len(next(iter(self.inputs.values())))

    @property
    def scale(self) -> FloatArray:
        """The scale of the scores: 1/√head_dim if the graph has no symbol for it."""
        usual = np.full(self.count, 1.0 / np.sqrt(self.sizes["headDim"]))
        return self.constants.get("scale", usual)


@dataclass(frozen=True, slots=True)
class WrittenForm:
    """One graph's formula.

    Attributes:
        write: the formula at given inputs.
        sizes: names of the graph's sizes.
        normalized: for each symbol of an ε, the value whose rows its norm normalizes.
        scores: for each saved tensor of scores, the inputs that it is proportional to, in pairs:
            scaling all of them by √t scales it by t.
    """

    write: Callable[[Given], Formula]
    sizes: tuple[str, ...]
    normalized: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    scores: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


def causal(n: int) -> Bools:
    """No key after the query."""
    return np.tril(np.ones((n, n), dtype=np.bool_))


def window(n: int, width: int) -> Bools:
    """No key after the query, nor more than ``width`` before it."""
    return np.asarray(causal(n) & ~np.tril(np.ones((n, n), dtype=np.bool_), -width - 1))


def inside(form: Formula, prefix: str) -> Callable[[str, Term], Term]:
    """A function that saves values under names that begin with ``prefix``."""
    return lambda name, term: form.save(prefix + name, term)


def gated(form: Formula, prefix: str, x: Term, act: Activation) -> Term:
    """(act(x·Wg) * x·Wu)·Wd."""
    gate = f.activation(form.save(f"{prefix}gatePre", f.matmul(x, form["Wg"])), act)
    up = form.save(f"{prefix}up", f.matmul(x, form["Wu"]))
    hidden = form.save(f"{prefix}hidden", f.mul(form.save(f"{prefix}gate.y", gate), up))
    return form.save(f"{prefix}projected", f.matmul(hidden, form["Wd"]))


def _gated_form(act: Activation) -> WrittenForm:
    def write(at: Given) -> Formula:
        form = Formula.at(at.inputs)
        gated(form, "", form["x"], act)
        return form

    return WrittenForm(write, ("seqLen", "dModel", "dFF"))


def _attend(
    form: Formula,
    at: Given,
    prefix: str,
    x: Term,
    memory: Term,
    allowed: Bools,
    weights: str = "",
) -> Term:
    """Attention of ``x`` to ``memory`` with biases; the weights' names begin with ``weights``."""
    number = at.sizes["numHeads"]
    cut = {}
    for p, source in (("q", x), ("k", memory), ("v", memory)):
        projected = f.affine(source, form[f"{weights}W{p}"], form[f"{weights}b{p}"])
        heads = f.heads(form.save(prefix + p, projected), number)
        cut[p] = form.save(f"{prefix}{p}Heads.heads", heads)
    core = f.attention(
        inside(form, f"{prefix}core."), cut["q"], cut["k"], cut["v"], allowed, at.scale
    )
    out = f.affine(core, form[f"{weights}Wo"], form[f"{weights}bo"])
    return form.save(f"{prefix}projected", out)


def _cross(at: Given) -> Formula:
    form, sizes = Formula.at(at.inputs), at.sizes
    real = np.arange(sizes["memoryLen"]) < sizes["visible"]
    allowed = np.broadcast_to(real, (sizes["seqLen"], sizes["memoryLen"]))
    _attend(form, at, "", form["x"], form["memory"], allowed)
    return form


def _grouped(form: Formula, at: Given, prefix: str, x: Term, allowed: Bools) -> Term:
    groups, each = at.sizes["numGroups"], at.sizes["perGroup"]
    numbers = {"q": groups * each, "k": groups, "v": groups}
    cut = {}
    for p, number in numbers.items():
        projected = form.save(prefix + p, f.matmul(x, form[f"W{p}"]))
        cut[p] = form.save(f"{prefix}{p}Heads.heads", f.heads(projected, number))
    for p in "qk":
        turned = f.rotary(cut[p], form["cos"], form["sin"])
        cut[p] = form.save(f"{prefix}{p}Rotary.y", turned)
    for p in "kv":
        cut[p] = form.save(f"{prefix}{p}Shared.heads", f.repeat_heads(cut[p], each))
    core = f.attention(
        inside(form, f"{prefix}core."), cut["q"], cut["k"], cut["v"], allowed, at.scale
    )
    return form.save(f"{prefix}projected", f.matmul(core, form["Wo"]))


def _grouped_mha(at: Given) -> Formula:
    form = Formula.at(at.inputs)
    _grouped(form, at, "", form["x"], causal(at.sizes["seqLen"]))
    return form


def gated_block(
    form: Formula, at: Given, act: Activation, allowed: Callable[[int], Bools], offset: float
) -> Formula:
    """G(N₂(y)) + y with y = A(N₁(x)) + x."""
    x = form["x"]
    first = f.rms_norm(x, form["gamma1"], at.eps("eps1"), offset)
    branch = _grouped(form, at, "mha.", form.save("norm1.y", first), allowed(at.sizes["seqLen"]))
    y = form.save("attnResidual", f.add(branch, x))
    second = form.save("norm2.y", f.rms_norm(y, form["gamma2"], at.eps("eps2"), offset))
    form.save("ffnResidual", f.add(gated(form, "ffn.", second, act), y))
    return form


def _gated_block_form(
    act: Activation, allowed: Callable[[int], Bools], offset: float = 0.0
) -> WrittenForm:
    return WrittenForm(
        lambda at: gated_block(Formula.at(at.inputs), at, act, allowed, offset),
        (*_GROUPED, "dFF"),
        MappingProxyType({"eps1": "x", "eps2": "attnResidual"}),
        MappingProxyType({"mha.core.scaled": ("Wq", "Wk")}),
    )


def _feed_forward(form: Formula, x: Term, act: Activation) -> Term:
    pre = form.save("ffn.hiddenPre", f.affine(x, form["W1"], form["b1"]))
    active = form.save("ffn.hiddenAct.y", f.activation(pre, act))
    return form.save("ffn.projected", f.affine(active, form["W2"], form["b2"]))


def _norm(form: Formula, at: Given, number: int, x: Term) -> Term:
    scale, shift = form[f"gamma{number}"], form[f"beta{number}"]
    return form.save(f"norm{number}.y", f.layer_norm(x, scale, shift, at.eps(f"eps{number}")))


def masked_pre_norm(form: Formula, at: Given, act: Activation) -> Formula:
    """F(LN₂(y)) + y with y = A(LN₁(x)) + x, where no token attends to a later one."""
    x = form["x"]
    first = _norm(form, at, 1, x)
    branch = _attend(form, at, "mha.", first, first, causal(at.sizes["seqLen"]))
    y = form.save("attnResidual", f.add(branch, x))
    second = _norm(form, at, 2, y)
    form.save("ffnResidual", f.add(_feed_forward(form, second, act), y))
    return form


def _post_norm_decoder(at: Given) -> Formula:
    """LN₃(F(z) + z) with z = LN₂(C(y) + y) and y = LN₁(A(x) + x): no token attends to a later one,
    and the first ``visible`` tokens of the memory are not padding."""
    form, sizes = Formula.at(at.inputs), at.sizes
    x, n, m = form["x"], sizes["seqLen"], sizes["memoryLen"]
    own = _attend(form, at, "mha.", x, x, causal(n))
    y = _norm(form, at, 1, form.save("attnResidual", f.add(own, x)))
    real = np.broadcast_to(np.arange(m) < sizes["visible"], (n, m))
    other = _attend(form, at, "cross.", y, form["memory"], real, "cross.")
    z = _norm(form, at, 2, form.save("crossResidual", f.add(other, y)))
    _norm(form, at, 3, form.save("ffnResidual", f.add(_feed_forward(form, z, RELU), z)))
    return form


def _rms_offset(at: Given) -> Formula:
    form = Formula.at(at.inputs)
    form.save("y", f.rms_norm(form["x"], form["gamma"], at.eps("eps"), 1.0))
    return form


def _softmax_over(at: Given) -> Formula:
    """Row i sees its first i + 1 entries."""
    form = Formula.at(at.inputs)
    n, d = at.sizes["seqLen"], at.sizes["dModel"]
    allowed = np.tril(np.ones((n, d), dtype=np.bool_))
    with np.errstate(over="ignore"):
        form.save("exp", Term(np.exp(form["x"].value)))
    form.save("weights", f.softmax_over(form["x"], allowed))
    return form


def cyclic(n: int, size: int) -> npt.NDArray[np.int64]:
    """The indices in Lean's exports: i modulo a size."""
    return np.arange(n, dtype=np.int64) % size


def loss(form: Formula, prefix: str, logits: Term, first: int = 0) -> Term:
    """The mean of log Σ exp z − z_target, where the targets are those of `cyclic` from ``first``
    on."""
    save = inside(form, prefix)
    n, classes = logits.value.shape[1:]
    picked = save("picked", f.pick(logits, cyclic(n + first, classes)[first:]))
    losses = save("losses", f.sub(save("logSum", f.log_sum_exp(logits)), picked))
    return save("loss", f.mean(losses))


def log_softmax(z: Term) -> Term:
    """z − log Σ exp z of each row."""
    total = f.log_sum_exp(z)
    p = np.exp(z.value - total.value[..., None])
    return Term(
        z.value - total.value[..., None],
        (z,),
        lambda d: d - (p * d).sum(axis=-1, keepdims=True),
        lambda s: (s - p * s.sum(axis=-1, keepdims=True),),
    )


def _log_softmax(at: Given) -> Formula:
    form = Formula.at(at.inputs)
    form.save("log", f.log_sum_exp(form["x"]))
    form.save("y", log_softmax(form["x"]))
    return form


def _cross_entropy(at: Given) -> Formula:
    form = Formula.at(at.inputs)
    loss(form, "", form["x"])
    return form


def _rotary(at: Given) -> Formula:
    form = Formula.at(at.inputs)
    form.save("y", f.rotary(form["x"], form["cos"], form["sin"]))
    return form


_ROWS = ("seqLen", "dModel")
_GROUPED = (*_ROWS, "numGroups", "perGroup", "headDim")
_HEADS = (*_ROWS, "numHeads", "headDim")
_PROJECTED = ("Wq", "bq", "Wk", "bk")

WRITTEN_FORMS: Mapping[str, WrittenForm] = MappingProxyType(
    {
        "swiGluGraph": _gated_form(SILU),
        "geGluGraph": _gated_form(GELU),
        "geGluTanhGraph": _gated_form(TANH_GELU),
        "rmsNormOffsetGraph": WrittenForm(_rms_offset, _ROWS, MappingProxyType({"eps": "x"})),
        "softmaxOverGraph": WrittenForm(_softmax_over, _ROWS),
        "crossEntropyGraph": WrittenForm(_cross_entropy, ("seqLen", "classes")),
        "logSoftmaxGraph": WrittenForm(_log_softmax, ("seqLen", "classes")),
        "rotaryGraph": WrittenForm(_rotary, ("numHeads", "seqLen", "headDim")),
        "crossMhaGraph": WrittenForm(
            _cross,
            ("seqLen", "memoryLen", "dModel", "dMemory", "numHeads", "headDim", "visible"),
            scores=MappingProxyType({"core.scaled": _PROJECTED}),
        ),
        "groupedMhaGraph": WrittenForm(
            _grouped_mha, _GROUPED, scores=MappingProxyType({"core.scaled": ("Wq", "Wk")})
        ),
        "gpt2BlockGraph": WrittenForm(
            lambda at: masked_pre_norm(Formula.at(at.inputs), at, TANH_GELU),
            (*_HEADS, "dFF"),
            MappingProxyType({"eps1": "x", "eps2": "attnResidual"}),
            MappingProxyType({"mha.core.scaled": _PROJECTED}),
        ),
        "decoderBlockGraph": WrittenForm(
            _post_norm_decoder,
            ("seqLen", "memoryLen", "dModel", "numHeads", "headDim", "dFF", "visible"),
            MappingProxyType(
                {"eps1": "attnResidual", "eps2": "crossResidual", "eps3": "ffnResidual"}
            ),
            MappingProxyType(
                {
                    "mha.core.scaled": _PROJECTED,
                    "cross.core.scaled": tuple(f"cross.{w}" for w in _PROJECTED),
                }
            ),
        ),
        "llamaBlockGraph": _gated_block_form(SILU, causal),
        "mistralBlockGraph": _gated_block_form(SILU, lambda n: window(n, WINDOW)),
        "gemmaBlockGraph": _gated_block_form(TANH_GELU, causal, 1.0),
    }
)
"""By the name of the graph."""


def closed(form: WrittenForm) -> ClosedForm:
    """The closed form that follows from a formula."""

    def given(at: Arguments) -> Given:
        return Given(at.inputs, at.constants, at.sizes)

    return ClosedForm(
        lambda at: form.write(given(at)).values(),
        lambda at, t: form.write(given(at)).jvp(t),
        lambda at, s: form.write(given(at)).vjp(s),
        form.normalized,
        form.sizes,
        form.scores,
    )


FORMS = {name: closed(form) for name, form in WRITTEN_FORMS.items()}
