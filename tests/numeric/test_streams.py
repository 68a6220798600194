"""Random numbers: well distributed, and a function of their name alone."""

from __future__ import annotations

import numpy as np

from numeric.streams import Streams


def streams(count: int = 4000, seed: int = 7, key: str = "k", family: str = "f") -> Streams:
    return Streams.of(seed, key, family, np.arange(count))


def test_an_instance_is_the_same_in_every_batch() -> None:
    whole = streams(50).child("x").normal((3, 5))
    some = Streams.of(7, "k", "f", [41, 3]).child("x").normal((3, 5))
    np.testing.assert_array_equal(some, whole[[41, 3]])
    np.testing.assert_array_equal(
        streams(50).take(np.array([8])).uniform((4,)), streams(50).uniform((4,))[[8]]
    )


def test_every_part_of_the_name_counts() -> None:
    base = streams().uniform()
    for other in (streams(seed=8), streams(key="l"), streams(family="g"), streams().child("a")):
        assert not np.any(other.uniform() == base)
    a, b = streams().child("a").normal(), streams().child("b").normal()
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.06
    assert not np.any(streams().child("1").uniform() == streams().child(1).uniform())


def test_uniform_normal_and_signs_are_distributed_so() -> None:
    s = streams(2000)
    u = s.uniform((50,), 2.0, 4.0)
    assert u.min() >= 2.0
    assert u.max() < 4.0
    counts, _ = np.histogram(u, bins=20, range=(2.0, 4.0))
    expected = u.size / 20
    assert np.sum((counts - expected) ** 2 / expected) < 50  # chi-square with 19 degrees of freedom
    z = s.child("z").normal((51,))
    assert z.shape == (2000, 51)
    for power, moment in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)):
        assert abs(np.mean(z**power) - moment) < 0.1
    assert abs(np.mean(z[:, 1:] * z[:, :-1])) < 0.02
    assert abs(np.mean(z[1:] * z[:-1])) < 0.02
    assert set(np.unique(s.signs((9,)))) == {-1.0, 1.0}
    assert abs(s.signs((50,)).mean()) < 0.02
    assert set(s.below(3)) == {0, 1, 2}


def test_coins_are_fair_and_those_of_another_label_are_others() -> None:
    s = streams(400)
    heads = s.coins((3, 50), "value", 1)
    assert heads.shape == (400, 3, 50)
    assert set(np.unique(heads)) == {0, 1}
    assert abs(heads.mean() - 0.5) < 0.01
    other = s.coins((3, 50), "value", 2)
    assert abs((heads == other).mean() - 0.5) < 0.01
    np.testing.assert_array_equal(heads[7:9], s.take(np.array([7, 8])).coins((3, 50), "value", 1))


def test_directions_are_uniform_and_independent() -> None:
    d = streams(400).child("d").directions((7, 7))
    assert d.shape == (400, 7, 7)
    assert -1.0 <= d.min() < -0.99
    assert 0.99 < d.max() < 1.0
    assert abs(d.mean()) < 0.02
    assert abs((d * d).mean() - 1 / 3) < 0.02
    flat = d.reshape(400, -1)
    correlation = np.corrcoef(flat.T) - np.eye(49)
    assert np.abs(correlation).max() < 0.3
    alone = streams(400).child("d").take(np.array([17])).directions((7, 7))
    np.testing.assert_array_equal(alone[0], d[17])
