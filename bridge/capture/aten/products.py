"""Matrix products and convolutions."""

from __future__ import annotations

import importlib
import math
from typing import Any

from bridge.capture.aten.rule import Context, Found, rule
from bridge.capture.tape import Ref, tight
from numeric.ops import Shape

__all__ = ["affine"]


def affine(t: Context, name: str, x: Ref, weight: Ref, bias: Ref | None) -> Ref:
    """x ``(rows, k)`` times the transpose of weight ``(m, k)``, plus bias ``(m,)``."""
    tape = t.tape
    y = tape.matmul(name, x, tape.permute(f"{name}.weight", weight, (1, 0)))
    if bias is None:
        return y
    return tape.two(f"{name}.sum", "add", y, tape.spread(f"{name}.bias", bias, 0, x.shape[0]))


@rule("aten.linear.default")
def _linear(t: Context, n: Any, x: Any, weight: Any, bias: Any = None) -> Found:
    tape = t.tape
    m, k = t.shape(weight)
    rows = math.prod(t.shape(x)[:-1])
    flat = tape.reshape(f"{n.name}.rows", t.ref(x), (rows, k))
    by = tape.reshape(f"{n.name}.weight", t.ref(weight), (m, k))
    plus = None if bias is None else tape.reshape(f"{n.name}.bias", t.ref(bias), (m,))
    return tape.reshape(n.name, affine(t, n.name, flat, by, plus), tight(t.shape(n)))


@rule("aten.addmm.default")
def _addmm(
    t: Context, n: Any, bias: Any, x: Any, y: Any, *, beta: float = 1, alpha: float = 1
) -> Found:
    return _plus(t, n, bias, _product(t, n, x, y), beta, alpha)


@rule("aten.baddbmm.default")
def _baddbmm(
    t: Context, n: Any, bias: Any, x: Any, y: Any, *, beta: float = 1, alpha: float = 1
) -> Found:
    return _plus(t, n, bias, _product(t, n, x, y), beta, alpha)


def _plus(t: Context, n: Any, bias: Any, product: Ref, beta: float, alpha: float) -> Ref:
    """beta · bias + alpha · product."""
    tape = t.tape
    if alpha != 1:
        product = tape.map(f"{n.name}.alpha", "scale", product, c=alpha)
    if beta == 0:
        return product
    more = t.at(f"{n.name}.bias", bias, t.shape(n))
    if beta != 1:
        more = tape.map(f"{n.name}.beta", "scale", more, c=beta)
    return tape.two(f"{n.name}.sum", "add", product, more)


@rule(
    "aten.matmul.default",
    "aten.bmm.default",
    "aten.mm.default",
    "aten.mv.default",
    "aten.dot.default",
    "aten.vdot.default",
)
def _matmul(t: Context, n: Any, x: Any, y: Any) -> Found:
    return _product(t, n, x, y)


def _product(t: Context, n: Any, x: Any, y: Any) -> Ref:
    left, right = t.shape(x), t.shape(y)
    left = (1, *left) if len(left) == 1 else left
    right = (*right, 1) if len(right) == 1 else right
    lead = _broadcast(left[:-2], right[:-2])

    def operand(a: Any, shape: Shape) -> Ref:
        full = (*lead, *shape[-2:])
        found = t.spread(n.name, t.ref(a), shape, full)
        return t.tape.reshape(n.name, found, (*tight(lead), *shape[-2:]))

    found = t.tape.matmul(n.name, operand(x, left), operand(y, right))
    return t.tape.reshape(n.name, found, tight(t.shape(n)))


def _broadcast(a: Shape, b: Shape) -> Shape:
    torch: Any = importlib.import_module("torch")
    return tuple(torch.broadcast_shapes(a, b))


@rule("aten.einsum.default")
def _einsum(t: Context, n: Any, equation: str, operands: list[Any], **_: Any) -> Found:
    """Of two operands: a matrix product over the axes that the result lacks."""
    terms, _arrow, result = equation.replace(" ", "").partition("->")
    parts = terms.split(",")
    plain = len(parts) == 2 and "." not in equation and all(len(set(p)) == len(p) for p in parts)
    if not plain or not set(result) <= set(terms):
        raise t.refuse(f"einsum {equation}")
    sizes: dict[str, int] = {
        c: k
        for p, o in zip(parts, operands, strict=True)
        for c, k in zip(p, t.shape(o), strict=True)
    }
    a, b = parts
    both = [c for c in a if c in b and c in result]
    over = [c for c in a if c in b and c not in result]
    left, right = ([c for c in p if c not in q] for p, q in ((a, b), (b, a)))
    if not set(left + right) <= set(result):
        raise t.refuse(f"einsum {equation}")

    def operand(k: int, order: list[str], shape: list[int]) -> Ref:
        letters = [c for c in parts[k] if sizes[c] != 1]
        perm = [letters.index(c) for c in order if sizes[c] != 1]
        return t.tape.reshape(n.name, t.tape.permute(n.name, t.ref(operands[k]), perm), shape)

    def size(letters: list[str]) -> int:
        return math.prod(sizes[c] for c in letters)

    lead = [sizes[c] for c in both if sizes[c] != 1]
    x = operand(0, both + left + over, [*lead, size(left), size(over)])
    y = operand(1, both + over + right, [*lead, size(over), size(right)])
    letters = [c for c in both + left + right if sizes[c] != 1]
    found = t.tape.reshape(n.name, t.tape.matmul(n.name, x, y), [sizes[c] for c in letters])
    return t.tape.permute(n.name, found, [letters.index(c) for c in result if sizes[c] != 1])


@rule("aten.conv1d.default", "aten.conv2d.default", "aten.conv1d.padding", "aten.conv2d.padding")
def _convolution(
    t: Context,
    n: Any,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = (1,),
    padding: Any = (0,),
    dilation: Any = (1,),
    groups: int = 1,
) -> Found:
    """The patches are looked up, group by group, then a matrix product."""
    torch: Any = importlib.import_module("torch")
    given, kernel = t.shape(x), t.shape(weight)
    dims = len(given) - 2
    stride, dilation = (list(v) * (dims if len(v) == 1 else 1) for v in (stride, dilation))
    if isinstance(padding, str):
        raise t.refuse(f"padding {padding!r}")
    padding = list(padding) * (dims if len(padding) == 1 else 1)
    entries = math.prod(given)
    numbers = torch.arange(1, entries + 1).reshape(given)
    numbers = torch.nn.functional.pad(numbers, [p for q in reversed(padding) for p in (q, q)])
    for d in range(dims):
        reach = dilation[d] * (kernel[2 + d] - 1) + 1
        numbers = numbers.unfold(2 + d, reach, stride[d])[..., :: dilation[d]]
    # (batch, channels, out…, kernel…) to (groups, batch · out, channels of a group · kernel)
    batch, out = given[0], numbers.shape[2 : 2 + dims]
    inside = given[1] // groups
    numbers = numbers.reshape(batch, groups, inside, *numbers.shape[2:])
    order = (1, 0, *range(3, 3 + dims), 2, *range(3 + dims, 3 + 2 * dims))
    rows, width = batch * math.prod(out), inside * math.prod(kernel[2:])
    numbers = numbers.permute(order).reshape(groups, rows, width)
    tape, each = t.tape, kernel[0] // groups
    patches = tape.moved(f"{n.name}.patches", t.ref(x), numbers.numpy() - 1, (groups, rows, width))
    by = tape.reshape(f"{n.name}.weight", t.ref(weight), (groups, each, width))
    y = tape.matmul(n.name, patches, tape.permute(f"{n.name}.weight", by, (0, 2, 1)))
    y = tape.permute(f"{n.name}.channels", y, (0, 2, 1))
    y = tape.reshape(n.name, y, (kernel[0], rows))
    if bias is not None:
        plus = tape.reshape(f"{n.name}.bias", t.ref(bias), (kernel[0],))
        y = tape.two(f"{n.name}.sum", "add", y, tape.spread(f"{n.name}.bias", plus, 1, rows))
    if batch > 1:
        y = tape.reshape(n.name, y, (kernel[0], batch, math.prod(out)))
        y = tape.permute(f"{n.name}.batch", y, (1, 0, 2))
    return tape.reshape(n.name, y, tight(t.shape(n)))
