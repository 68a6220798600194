"""Instance families match their descriptions, and an instance depends only on its name."""

from __future__ import annotations

import numpy as np
import pytest

from numeric.closed_forms import layer_norm as closed_form
from numeric.instances.draw import Batch, draw
from numeric.instances.families import FAMILIES, Family, Region, sizes_of
from tests.numeric.graphs import layer_norm

EVERY = pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.name)


def batch(family: Family, count: int = 300) -> Batch:
    sizes = dict(sizes_of(family, ("seqLen", "dModel")))
    graph = layer_norm(sizes["seqLen"], sizes["dModel"])
    return draw(family, graph, seed=3, key="k", indices=range(count))


@EVERY
def test_instances_are_where_the_family_says(family: Family) -> None:
    b = batch(family)
    sign = closed_form.var_eps(b.inputs["x"], b.constants["eps"])
    if family.region is Region.DOMAIN:
        assert np.all(b.constants["eps"] > 0)
        assert sign.positive.all()
    elif family.region is Region.REFUTING:
        assert np.all(sign.nonpositive.any(axis=1))
    else:
        assert np.all(b.constants["eps"] <= 0)


@EVERY
def test_an_instance_does_not_depend_on_the_batch(family: Family) -> None:
    whole, sizes = batch(family), dict(sizes_of(family, ("seqLen", "dModel")))
    graph = layer_norm(sizes["seqLen"], sizes["dModel"])
    some = draw(family, graph, seed=3, key="k", indices=[201, 5])
    for name, value in some.inputs.items():
        np.testing.assert_array_equal(value, whole.inputs[name][[201, 5]])
    np.testing.assert_array_equal(some.constants["eps"], whole.constants["eps"][[201, 5]])
    taken = whole.take(np.array([201, 5]))
    np.testing.assert_array_equal(taken.streams.keys, some.streams.keys)


def test_families_have_their_features() -> None:
    def x(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return batch(FAMILIES[name]).inputs["x"]

    constant = x("constant rows")
    assert np.all(np.ptp(constant[:, 0], axis=-1) == 0)
    assert np.any(np.ptp(constant, axis=-1) > 0)
    assert np.any(constant[:, 0].var(axis=-1) > 0), "rounding should make some look variable"
    assert np.abs(x("large offset").mean(axis=-1)).max() > 1e7
    spread = np.ptp(x("near-constant rows"), axis=-1)
    assert spread.min() > 0
    assert np.median(spread) < 1e-4
    scales = x("badly scaled").std(axis=-1)
    assert scales.max() / scales.min() > 1e10
    single = batch(FAMILIES["float32"])
    for value in (*single.inputs.values(), *single.constants.values()):
        np.testing.assert_array_equal(value, value.astype(np.float32))
    assert batch(FAMILIES["d_model 2"]).inputs["x"].shape == (300, 4, 2)


def test_the_family_of_hidden_signs_hides_them() -> None:
    b = batch(FAMILIES["eps cancels variance"])
    sign = closed_form.var_eps(b.inputs["x"], b.constants["eps"])
    assert np.mean((~sign.positive & ~sign.nonpositive).any(axis=1)) > 0.99
