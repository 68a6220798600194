"""Hypothesis strategies for instances of a graph: over shape, scale and degeneracy.

They shrink: towards the smallest of the graphs given, scale 1, no offset, no degenerate row, ε =
0.1, and entries that are mostly 0.  The package ``hypothesis`` is needed (extra ``strategies``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from random import Random

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from hypothesis.extra.numpy import arrays

from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.instances.instance_file import case_of
from numeric.interpret.interpreter import Interpreter
from numeric.ops import Shape

__all__ = ["instances", "programs_by_size", "smallest"]

FloatArray = npt.NDArray[np.float64]
QUARTERS = st.integers(-12, 12).map(lambda k: k / 4)


def programs_by_size(programs: Sequence[Interpreter]) -> list[Interpreter]:
    """The smallest first, by the number of entries of all inputs."""
    return sorted(programs, key=lambda p: sum(prod(i.shape) for i in p.graph.inputs))


@st.composite
def instances(
    draw: st.DrawFn, programs: Sequence[Interpreter | Graph], key: str = "", min_eps: int = -30
) -> Case:
    """One instance of one of the graphs.

    Args:
        draw: given by Hypothesis.
        programs: graphs, or interpreters of them, of one name and several sizes.
        key: of the obligation; random directions of its check follow from it.
        min_eps: least decimal exponent of ε.
    """
    ready = [Interpreter(p) if isinstance(p, Graph) else p for p in programs]
    program = draw(st.sampled_from(programs_by_size(ready)))
    graph = program.graph
    inputs = {
        given.name: draw(_input(given.name.rpartition(".")[2], given.shape))
        for given in graph.inputs
    }
    constants = {
        symbol: 10.0 ** -draw(st.integers(1, -min_eps)) if symbol.startswith("eps") else value
        for symbol, value in graph.symbols.items()
    }
    return case_of(program, key, inputs, constants)


@st.composite
def _input(draw: st.DrawFn, name: str, shape: Shape) -> FloatArray:
    """Gains are about 1, weights and biases of unit size; the tokens have scale, offset and
    degenerate rows."""
    x: FloatArray = draw(arrays(np.float64, shape, elements=QUARTERS, fill=st.just(0.0)))
    if name.startswith("gamma"):
        return x + 1.0
    if name != "x":
        return x
    x = x * 10.0 ** draw(st.sampled_from([0, -1, 1, -2, 2, -4, 4, -6, 6]))
    if draw(st.booleans()):
        x = x + 10.0 ** draw(st.integers(0, 8))
    if draw(st.booleans()):
        x = np.repeat(x[..., :1], shape[-1], axis=-1)
    return x


def smallest(
    programs: Sequence[Interpreter | Graph],
    bad: Callable[[Case], bool],
    *,
    key: str = "",
    examples: int = 200,
    seed: int = 0,
) -> Case | None:
    """The smallest instance found on which ``bad`` is true; None where none was found.

    The same arguments find the same instance.

    Args:
        programs: as for `instances`.
        bad: whether an instance is one to find.
        key: as for `instances`.
        examples: how many instances to try before giving up.
        seed: of the search.
    """
    try:
        return find(
            instances(programs, key),
            bad,
            settings=settings(
                max_examples=examples,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=(Phase.generate, Phase.shrink),
            ),
            random=Random(seed),
        )
    except NoSuchExample:
        return None
