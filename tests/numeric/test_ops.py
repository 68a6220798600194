"""Every operation alone: value, derivative, transpose, shape rule.

The block's own permutations are involutions and cannot distinguish a permutation from its inverse,
so each operation is tested here on shapes and parameters that can.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numeric.ops import OPS, Binding, Constant, Params, Shape, ShapeMismatch

FloatArray = npt.NDArray[np.float64]
BATCH = 5
NONE = Params()
H = 1e-200


@dataclass(frozen=True)
class Use:
    """An operation on arguments of certain shapes."""

    op: str
    shapes: tuple[Shape, ...]
    result: Shape
    params: Params = NONE

    def binding(self) -> Binding:
        p = self.params
        return Binding(
            shape=self.result,
            operand=self.shapes[0],
            c=np.full((BATCH, *(1 for _ in self.result)), 0.0 if p.c is None else p.c.value),
            axis=0 if p.axis is None else p.axis + 1,
            perm=() if p.perm is None else (0, *(i + 1 for i in p.perm)),
            index=np.asarray(() if p.index is None else p.index, dtype=np.intp),
        )


USES = (
    Use("add", ((3, 4), (3, 4)), (3, 4)),
    Use("sub", ((3, 4), (3, 4)), (3, 4)),
    Use("mul", ((3, 4), (3, 4)), (3, 4)),
    Use("exp", ((3, 4),), (3, 4)),
    Use("inv", ((3, 4),), (3, 4)),
    Use("tanh", ((3, 4),), (3, 4)),
    Use("normalCdf", ((3, 4),), (3, 4)),
    Use("relu", ((3, 4),), (3, 4)),
    Use("sigmoid", ((3, 4),), (3, 4)),
    Use("log", ((3, 4),), (3, 4)),
    Use("sqrt", ((3, 4),), (3, 4)),
    Use("scale", ((3, 4),), (3, 4), Params(Constant(-1.7))),
    Use("addConst", ((3, 4),), (3, 4), Params(Constant(0.3))),
    Use("matmul", ((3, 4), (4, 5)), (3, 5)),
    Use("matmul", ((2, 6, 3, 4), (2, 6, 4, 5)), (2, 6, 3, 5)),
    Use("transpose", ((2, 3, 4),), (3, 4, 2), Params(perm=(1, 2, 0))),
    Use("transpose", ((2, 3, 4, 5),), (5, 2, 3, 4), Params(perm=(3, 0, 1, 2))),
    Use("reshape", ((2, 6),), (3, 2, 2)),
    Use("sum", ((2, 3, 4),), (2, 4), Params(axis=1)),
    Use("sum", ((5,),), (), Params(axis=0)),
    Use("mean", ((2, 3, 4),), (2, 3), Params(axis=2)),
    Use("mean", ((2, 3, 4),), (3, 4), Params(axis=0)),
    Use("broadcast", ((2, 3),), (2, 4, 3), Params(axis=1)),
    Use("broadcast", ((3,),), (2, 3), Params(axis=0)),
    Use("broadcast", ((),), (4,), Params(axis=0)),
    Use("place", ((2, 3, 4),), (2, 1, 4), Params(axis=1, index=(2,))),
    Use("place", ((4, 3),), (5, 3), Params(axis=0, index=(3, -1, 1, 3, 3))),
    Use("place", ((2, 4),), (2, 3), Params(axis=1, index=(-1, 3, 2))),
    Use("gather", ((2, 3),), (4,), Params(index=(5, -1, 1, 5))),
    Use("gather", ((4,),), (2, 2), Params(index=(3, 2, -1, 1))),
)


def ids(use: Use) -> str:
    return f"{use.op}{use.shapes}"


def draw(use: Use, seed: int = 0) -> tuple[FloatArray, ...]:
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=(BATCH, *s)) for s in use.shapes]
    if use.op in ("sqrt", "inv", "log"):
        values = [np.abs(v) + 0.1 for v in values]
    return tuple(values)


def test_every_operation_is_tried() -> None:
    assert {u.op for u in USES} == set(OPS), "add a Use for the new operation"


@pytest.mark.parametrize("use", USES, ids=ids)
def test_the_shape_rule_agrees_with_the_value(use: Use) -> None:
    op = OPS[use.op]
    assert op.shape(use.shapes, use.params, use.result) == use.result
    assert op.evaluate(draw(use), use.binding()).shape == (BATCH, *use.result)


@pytest.mark.parametrize("use", USES, ids=ids)
def test_operations_that_lose_an_infinity_say_so(use: Use) -> None:
    op = OPS[use.op]
    lost = []
    for k in range(op.arity):
        for infinity in (np.inf, -np.inf):
            args = draw(use)
            args[k].reshape(BATCH, -1)[:, 0] = infinity
            with np.errstate(all="ignore"):
                lost.append(bool(np.isfinite(op.evaluate(args, use.binding())).all()))
    assert any(lost) == op.bounded


@pytest.mark.parametrize("use", USES, ids=ids)
def test_push_is_the_derivative(use: Use) -> None:
    op, args, binding = OPS[use.op], draw(use), use.binding()
    out = op.evaluate(args, binding)
    for k, partial in enumerate(op.partials):
        tangent = draw(use, seed=1)[k]
        moved = tuple(a + 1j * H * tangent if j == k else a + 0j for j, a in enumerate(args))
        expected = op.evaluate(moved, binding).imag / H
        np.testing.assert_allclose(
            partial.push(args, out, binding, tangent), expected, rtol=1e-13, atol=1e-13
        )


@pytest.mark.parametrize("use", USES, ids=ids)
def test_pull_is_the_transpose_of_push(use: Use) -> None:
    """Entry by entry, so that an inverted permutation is found."""
    op, args, binding = OPS[use.op], draw(use), use.binding()
    out = op.evaluate(args, binding)
    for k, partial in enumerate(op.partials):
        size = int(np.prod(use.shapes[k]))
        result = int(np.prod(use.result))
        forward = np.zeros((BATCH, result, size))
        backward = np.zeros((BATCH, result, size))
        for j in range(size):
            unit = np.zeros((BATCH, size))
            unit[:, j] = 1
            pushed = partial.push(args, out, binding, unit.reshape(BATCH, *use.shapes[k]))
            forward[:, :, j] = pushed.reshape(BATCH, result)
        for i in range(result):
            unit = np.zeros((BATCH, result))
            unit[:, i] = 1
            pulled = partial.pull(args, out, binding, unit.reshape(BATCH, *use.result))
            backward[:, i, :] = pulled.reshape(BATCH, size)
        np.testing.assert_allclose(forward, backward, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("use", USES, ids=ids)
def test_terms_bound_the_rounding(use: Use) -> None:
    op, args, binding = OPS[use.op], draw(use), use.binding()
    out = op.evaluate(args, binding)
    exact = op.evaluate(tuple(a.astype(np.longdouble) for a in args), binding)
    if op.terms is None:
        np.testing.assert_array_equal(out, exact)
    else:
        limit = 16 * 2.0**-53 * op.terms(args, out, binding) + 1e-300
        assert np.all(np.abs(out - exact) <= limit)


def test_sqrt_is_clamped_and_inverse_of_zero_is_zero() -> None:
    binding = Use("sqrt", ((3,),), (3,)).binding()
    x = np.array([[-4.0, 0.0, 9.0]])
    root = OPS["sqrt"].evaluate((x,), binding)
    np.testing.assert_array_equal(root, [[0.0, 0.0, 3.0]])
    np.testing.assert_array_equal(
        OPS["sqrt"].partials[0].push((x,), root, binding, np.ones_like(x)), [[0, 0, 1 / 6]]
    )
    np.testing.assert_array_equal(OPS["inv"].evaluate((x,), binding), [[-0.25, 0.0, 1 / 9]])
    through = OPS["sqrt"].evaluate((x + 1j * H,), binding)
    np.testing.assert_allclose(through.imag / H, [[0, 0, 1 / 6]])


def test_the_slope_of_tanh_survives_saturation() -> None:
    binding = Use("tanh", ((2,),), (2,)).binding()
    x = np.array([[30.0, -400.0]])
    slope = OPS["tanh"].partials[0].push((x,), np.tanh(x), binding, np.ones_like(x))
    np.testing.assert_allclose(slope, [[4 * np.exp(-60.0), 0.0]], rtol=1e-13)


@pytest.mark.parametrize(
    ("op", "shapes", "params", "declared", "message"),
    [
        ("add", ((3,), (4,)), Params(), (3,), "arguments of one shape but got"),
        ("matmul", ((3, 4), (3, 4)), Params(), (3, 4), "last axis of .* but got 4 and 3"),
        ("matmul", ((2, 3, 4), (1, 4, 5)), Params(), (2, 3, 5), "equal leading axes"),
        ("matmul", ((3,), (3, 4)), Params(), (4,), "expected matrices"),
        ("transpose", ((2, 3),), Params(perm=(0, 0)), (2, 2), "permutation of 2 axes"),
        ("transpose", ((2, 3),), Params(perm=(0,)), (2,), "permutation of 2 axes"),
        ("reshape", ((2, 3),), Params(), (5,), "as many entries as"),
        ("sum", ((2, 3),), Params(axis=2), (2,), "0 ≤ axis < 2"),
        ("broadcast", ((3,),), Params(axis=1), (2, 3), "with axis 1 inserted but got"),
        ("place", ((3,),), Params(axis=0, index=(0, 3)), (2,), "from −1 to 2 but got .3."),
        ("place", ((3,),), Params(axis=0, index=(-2,)), (1,), "from −1 to 2 but got .-2."),
        ("place", ((3,),), Params(axis=0, index=()), (0,), "at least one index"),
        ("place", ((3,),), Params(axis=1, index=(0,)), (1,), "0 ≤ axis < 1"),
        ("gather", ((2, 2),), Params(index=(0, 4)), (2,), "from −1 to 3 but got .4."),
        ("gather", ((2, 2),), Params(index=(0, 3)), (3,), "expected 3 indices but got 2"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    op: str, shapes: tuple[Shape, ...], params: Params, declared: Shape, message: str
) -> None:
    with pytest.raises(ShapeMismatch, match=message):
        OPS[op].shape(shapes, params, declared)


@given(st.permutations(range(4)), st.lists(st.integers(1, 3), min_size=4, max_size=4))
def test_any_permutation_is_undone_by_its_transpose(perm: list[int], shape: list[int]) -> None:
    use = Use("transpose", (tuple(shape),), tuple(shape[p] for p in perm), Params(perm=tuple(perm)))
    (x,), binding = draw(use), use.binding()
    moved = OPS["transpose"].evaluate((x,), binding)
    assert moved.shape[1:] == use.result
    np.testing.assert_array_equal(OPS["transpose"].partials[0].pull((x,), moved, binding, moved), x)


@given(
    arrays(np.float64, (BATCH, 2, 3), elements=st.floats(-1e3, 1e3)),
    arrays(np.float64, (BATCH, 3, 2), elements=st.floats(-1e3, 1e3)),
)
def test_matmul_is_the_sum_of_products(a: FloatArray, b: FloatArray) -> None:
    use = Use("matmul", ((2, 3), (3, 2)), (2, 2))
    found = OPS["matmul"].evaluate((a, b), use.binding())
    expected = sum(a[:, :, k, None] * b[:, k, None, :] for k in range(3))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
