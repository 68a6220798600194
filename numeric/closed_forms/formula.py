"""Closed forms composed from layers, each with a hand-written derivative.

A `Formula` is written once, as a function of named inputs; it calls layers from this file, each of
which has its own tangent and its own cotangents.  The value, the tangent and the
cotangents of the whole follow by the chain rule.  Nothing here reads a graph or uses an operation
of the interpreter.

All arrays have a batch axis in front.  A layer may be called with real arrays only: derivatives
come from these rules, which tests compare with the complex step for each layer separately.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from numeric.closed_forms import layer_norm as _layer_norm
from numeric.closed_forms import rms_norm as _rms_norm
from numeric.closed_forms.activations import Activation
from numeric.ops import Array

__all__ = [
    "Formula",
    "Term",
    "activation",
    "add",
    "affine",
    "attention",
    "biases",
    "heads",
    "layer_norm",
    "log_sum_exp",
    "matmul",
    "mean",
    "merge_heads",
    "mul",
    "pick",
    "repeat_heads",
    "rms_norm",
    "rotary",
    "rows",
    "softmax_over",
    "sub",
    "times",
    "turned",
]

FloatArray = npt.NDArray[np.float64]
Tensors = Mapping[str, Array]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One value of a formula.

    Attributes:
        value: ``(B, *shape)``.
        args: the terms that it is computed from.
        push: the tangent of the value from those of the arguments.
        pull: the cotangents of the arguments from that of the value.
    """

    value: Array
    args: tuple[Term, ...] = ()
    push: Callable[..., Array] | None = None
    pull: Callable[[Array], tuple[Array, ...]] | None = None


@dataclass(slots=True)
class Formula:
    """A formula evaluated at one batch of inputs, with the values that it saved.

    Attributes:
        inputs: the terms of the inputs, by name.
        saved: named values in the order in which they were saved; the last one is the result.
    """

    inputs: dict[str, Term]
    saved: dict[str, Term] = field(default_factory=dict)

    @classmethod
    def at(cls, tensors: Tensors) -> Formula:
        """A formula of these inputs, with nothing saved yet."""
        return cls({name: Term(np.asarray(x)) for name, x in tensors.items()})

    def __getitem__(self, name: str) -> Term:
        return self.inputs[name]

    def save(self, name: str, term: Term) -> Term:
        """Keep a value under the name that the graph has for it."""
        self.saved[name] = term
        return term

    @property
    def result(self) -> Term:
        """The value saved last."""
        return next(reversed(self.saved.values()))

    def values(self) -> dict[str, Array]:
        """The saved values by name."""
        return {name: term.value for name, term in self.saved.items()}

    def jvp(self, tangents: Tensors) -> Array:
        """The tangent of the result; tangents that are left out are 0."""
        found = {
            id(term): np.asarray(tangents.get(name, np.zeros_like(term.value)))
            for name, term in self.inputs.items()
        }
        for term in _order(self.result):
            if id(term) not in found:
                assert term.push is not None  # otherwise it is an input
                found[id(term)] = term.push(*(found[id(a)] for a in term.args))
        return found[id(self.result)]

    def vjp(self, cotangent: Array) -> dict[str, Array]:
        """Cotangents of all inputs; 0 for those that the result does not depend on."""
        found: dict[int, Array] = {id(self.result): cotangent}
        for term in reversed(_order(self.result)):
            if term.pull is None or id(term) not in found:
                continue
            for arg, part in zip(term.args, term.pull(found[id(term)]), strict=True):
                found[id(arg)] = found[id(arg)] + part if id(arg) in found else part
        return {
            name: found.get(id(term), np.zeros_like(term.value))
            for name, term in self.inputs.items()
        }


def _order(result: Term) -> list[Term]:
    """Every term that the result is computed from, arguments first."""
    order: list[Term] = []
    seen: set[int] = set()
    todo: list[tuple[Term, bool]] = [(result, False)]
    while todo:
        term, ready = todo.pop()
        if ready:
            order.append(term)
        elif id(term) not in seen:
            seen.add(id(term))
            todo.append((term, True))
            todo.extend((arg, False) for arg in term.args)
    return order


def _turned(x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


def add(a: Term, b: Term) -> Term:
    """a + b, entry by entry."""
    return Term(a.value + b.value, (a, b), lambda da, db: da + db, lambda s: (s, s))


def sub(a: Term, b: Term) -> Term:
    """a − b, entry by entry."""
    return Term(a.value - b.value, (a, b), lambda da, db: da - db, lambda s: (s, -s))


def mul(a: Term, b: Term) -> Term:
    """a · b, entry by entry."""
    return Term(
        a.value * b.value,
        (a, b),
        lambda da, db: da * b.value + a.value * db,
        lambda s: (s * b.value, s * a.value),
    )


def times(x: Term, factor: float) -> Term:
    """A number times x."""
    return Term(factor * x.value, (x,), lambda dx: factor * dx, lambda s: (factor * s,))


def matmul(x: Term, w: Term) -> Term:
    """x·W, row by row."""
    return Term(
        x.value @ w.value,
        (x, w),
        lambda dx, dw: dx @ w.value + x.value @ dw,
        lambda s: (s @ _turned(w.value), _turned(x.value) @ s),
    )


def affine(x: Term, w: Term, b: Term) -> Term:
    """x·W + b, row by row."""
    return Term(
        x.value @ w.value + b.value[:, None, :],
        (x, w, b),
        lambda dx, dw, db: dx @ w.value + x.value @ dw + db[:, None, :],
        lambda s: (s @ _turned(w.value), _turned(x.value) @ s, s.sum(axis=1)),
    )


def activation(x: Term, act: Activation) -> Term:
    """act(x), entry by entry."""
    slope = act.derivative(x.value)
    return Term(act.forward(x.value), (x,), lambda dx: slope * dx, lambda s: (slope * s,))


def layer_norm(x: Term, gamma: Term, beta: Term, eps: FloatArray) -> Term:
    """LayerNorm of each row; see `numeric.closed_forms.layer_norm`."""
    return Term(
        _layer_norm.forward(x.value, gamma.value, beta.value, eps),
        (x, gamma, beta),
        lambda dx, dg, db: _layer_norm.jvp(x.value, gamma.value, eps, dx, dg, db),
        lambda s: _layer_norm.vjp(x.value, gamma.value, eps, s),
    )


def rms_norm(x: Term, gamma: Term, eps: FloatArray, offset: float = 0.0) -> Term:
    """RMSNorm of each row with scale gamma + offset; see `numeric.closed_forms.rms_norm`."""
    gain = gamma.value + offset

    def pull(s: Array) -> tuple[Array, ...]:
        found = _rms_norm.vjp(x.value, gain, eps, s)
        return found["x"], found["gamma"]

    return Term(
        _rms_norm.forward(x.value, gain, eps),
        (x, gamma),
        lambda dx, dg: _rms_norm.jvp(x.value, gain, eps, {"x": dx, "gamma": dg}),
        pull,
    )


def turned(x: Term) -> Term:
    """A matrix transposed."""
    return Term(_turned(x.value), (x,), _turned, lambda s: (_turned(s),))


def heads(x: Term, number: int) -> Term:
    """``(B, n, number·d)`` to ``(B, number, n, d)``: each row cut into pieces."""

    def cut(rows: Array) -> Array:
        size, n, width = rows.shape
        return rows.reshape(size, n, number, width // number).transpose(0, 2, 1, 3)

    return Term(cut(x.value), (x,), cut, lambda s: (_merged(s),))


def _merged(s: Array) -> Array:
    """``(B, h, n, d)`` to ``(B, n, h·d)``."""
    size, number, n, d = s.shape
    return s.transpose(0, 2, 1, 3).reshape(size, n, number * d)


def merge_heads(x: Term) -> Term:
    """``(B, h, n, d)`` to ``(B, n, h·d)``: the pieces of each row concatenated."""
    number = x.value.shape[1]
    return Term(_merged(x.value), (x,), _merged, lambda s: (heads(Term(s), number).value,))


def repeat_heads(x: Term, times: int) -> Term:
    """Each head ``times`` times in a row, ``(B, g·times, n, d)``."""

    def gathered(s: Array) -> tuple[Array, ...]:
        size, _, n, d = s.shape
        return (s.reshape(size, -1, times, n, d).sum(axis=2),)

    return Term(
        np.repeat(x.value, times, axis=1), (x,), lambda dx: np.repeat(dx, times, axis=1), gathered
    )


def rotary(x: Term, cos: Term, sin: Term) -> Term:
    """x·cos + (−x₂, x₁)·sin for the halves x₁, x₂ of each vector, with tables ``(B, n, d)``."""
    d = x.value.shape[-1]
    half = d // 2

    def turn(v: Array) -> Array:
        return np.concatenate([-v[..., half : 2 * half], v[..., : d - half]], axis=-1)

    def back(s: Array) -> Array:
        found = np.zeros_like(s)
        found[..., half : 2 * half] -= s[..., :half]
        found[..., : d - half] += s[..., half:]
        return found

    c, t, turned = cos.value[:, None], sin.value[:, None], turn(x.value)
    return Term(
        x.value * c + turned * t,
        (x, cos, sin),
        lambda dx, dc, ds: dx * c + turn(dx) * t + x.value * dc[:, None] + turned * ds[:, None],
        lambda s: (s * c + back(s * t), (s * x.value).sum(axis=1), (s * turned).sum(axis=1)),
    )


def softmax_over(z: Term, allowed: Bools) -> Term:
    """Softmax of the last axis over the allowed entries; the others have weight 0, as a score of −∞
    does."""
    with np.errstate(invalid="ignore"):
        masked = np.where(allowed, z.value, -np.inf)
        e = np.exp(masked - masked.max(axis=-1, keepdims=True))
        p: Array = np.nan_to_num(e / e.sum(axis=-1, keepdims=True))

    def along(d: Array) -> Array:
        product: Array = p * (d - (p * d).sum(axis=-1, keepdims=True))
        return product

    return Term(p, (z,), along, lambda s: (along(s),))


def attention(
    saved: Callable[[str, Term], Term], q: Term, k: Term, v: Term, allowed: Bools, scale: FloatArray
) -> Term:
    """softmax over the allowed keys of scale·q·kᵀ, times v, the heads concatenated.

    Args:
        saved: keeps a value under its name in the graph of `PostNorm.attentionCoreGraph`.
        q, k, v: ``(B, h, n or m, d)``.
        allowed: ``(n, m)``.
        scale: ``(B,)``.
    """
    by = scale[:, None, None, None]
    scores = Term(
        by * (q.value @ _turned(k.value)),
        (q, k),
        lambda dq, dk: by * (dq @ _turned(k.value) + q.value @ _turned(dk)),
        lambda s: (by * (s @ k.value), by * (_turned(s) @ q.value)),
    )
    weights = saved("softmax.weights", softmax_over(saved("scaled", scores), allowed))
    return saved("merged", merge_heads(saved("context", matmul(weights, v))))


def rows(table: Term, index: npt.NDArray[np.int64]) -> Term:
    """Rows of a table ``(B, v, d)`` by given indices: an embedding."""

    def pull(s: Array) -> tuple[Array, ...]:
        found = np.zeros_like(table.value)
        np.add.at(np.moveaxis(found, 1, 0), index, np.moveaxis(s, 1, 0))
        return (found,)

    return Term(table.value[:, index], (table,), lambda d: d[:, index], pull)


def biases(table: Term, index: npt.NDArray[np.int64]) -> Term:
    """``(B, h, n, m)`` from a table ``(B, b, h)``: for each query and key the entries at ``index``,
    ``(n, m)``."""

    def pull(s: Array) -> tuple[Array, ...]:
        found = np.zeros_like(table.value)
        np.add.at(found.swapaxes(0, 1), index, s.transpose(2, 3, 0, 1))
        return (found,)

    def read(t: Array) -> Array:
        return np.moveaxis(t[:, index], -1, 1)

    return Term(read(table.value), (table,), read, pull)


def pick(z: Term, index: npt.NDArray[np.int64]) -> Term:
    """One entry of each row, ``(B, n)`` of ``(B, n, v)``."""
    place = np.arange(len(index))

    def pull(s: Array) -> tuple[Array, ...]:
        found = np.zeros_like(z.value)
        found[:, place, index] = s
        return (found,)

    return Term(z.value[:, place, index], (z,), lambda d: d[:, place, index], pull)


def log_sum_exp(z: Term) -> Term:
    """log Σ exp z of each row: ``(B, n)`` of ``(B, n, v)``."""
    most = z.value.max(axis=-1, keepdims=True)
    e = np.exp(z.value - most)
    total = e.sum(axis=-1, keepdims=True)
    p = e / total
    return Term(
        (most + np.log(total))[..., 0],
        (z,),
        lambda d: (p * d).sum(axis=-1),
        lambda s: (s[..., None] * p,),
    )


def mean(x: Term) -> Term:
    """The mean of the last axis."""
    n = x.value.shape[-1]
    return Term(
        x.value.mean(axis=-1),
        (x,),
        lambda d: d.mean(axis=-1),
        lambda s: (np.repeat(s[..., None] / n, n, axis=-1),),
    )
