"""The one interface of a backend, and the programs that it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from numeric.graph import Graph
from numeric.interpret.chunks import chunk_of
from numeric.interpret.interpreter import Interpreter, Trace
from numeric.ops import OPS, Array, Arrays

__all__ = ["Backend", "Question", "finite", "mapped"]

Question = Callable[..., Any]
"""From a program, its run and further arrays ``(B, …)`` to such arrays; both may be in tuples,
lists or dicts.  A module-level function, so that it is the same object on every call."""
KEPT = 16
"""The number of graphs whose compiled questions are cached."""


class Backend(ABC):
    """Something that runs functions of arrays; one for each process."""

    spec: str
    """The name of the backend and its device, such as ``torch:cpu``."""
    arrays: Arrays
    pads = False
    """Whether a program is compiled for each number of instances, and so receives whole chunks."""
    _programs: OrderedDict[tuple[int, Question], tuple[Graph, Callable[..., Any]]]

    def __init__(self) -> None:
        self._programs = OrderedDict()

    @abstractmethod
    def describe(self) -> str:
        """Name, version and device, for reports."""

    @abstractmethod
    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of this backend's arrays as one from numpy's arrays to numpy's."""

    def takes(self, graph: Graph, instances: int) -> bool:
        """Whether the backend pays off for this many instances."""
        return True

    def ask(
        self,
        question: Question,
        program: Interpreter,
        inputs: Mapping[str, Array],
        constants: Mapping[str, Array],
        *arrays: Any,
    ) -> tuple[Any, Array]:
        """The answer to a question, and where the run is `finite`, as numpy arrays.

        Args:
            question: a function over arrays of any kind.
            program: on numpy.
            inputs, constants, arrays: of numpy.
        """
        given: Any = (dict(inputs), dict(constants), *arrays)
        size = len(next(iter(inputs.values())))
        more = chunk_of(program.graph) - size if self.pads else 0
        if more > 0:
            given = mapped(lambda x: np.concatenate([x, np.repeat(x[:1], more, axis=0)]), given)
        found: tuple[Any, Array] = self._run(question, program)(*given)
        if more <= 0:
            return found
        cut: tuple[Any, Array] = mapped(lambda x: x[:size], found)
        return cut

    def _run(self, question: Question, program: Interpreter) -> Callable[..., Any]:
        """The question about this program.  Cached by the graph itself, unless an error is planted
        in the program: that one is asked only once."""
        if program.changed:
            return self._made(question, program)
        key = (id(program.graph), question)
        kept = self._programs.get(key)
        if kept is None:
            kept = self._programs[key] = (program.graph, self._made(question, program))
            if len(self._programs) > KEPT:
                self._programs.popitem(last=False)
        self._programs.move_to_end(key)
        return kept[1]

    def _made(self, question: Question, program: Interpreter) -> Callable[..., Any]:
        here = program.on(self.arrays)

        def run(inputs: Any, constants: Any, *arrays: Any) -> Any:
            trace = here.evaluate(inputs, constants)
            return question(here, trace, *arrays), finite(here, trace)

        return self.compiled(run)


def finite(program: Interpreter, trace: Trace) -> Array:
    """Where no infinity disappears in a finite result, as in 1/∞ = 0, ``(B,)``; every other
    operation propagates it."""
    nodes, xp = program.graph.nodes, program.xp
    found: Array = xp.zeros((trace.values[0].shape[0],)) == 0
    for arg in sorted({a for node in nodes if OPS[node.op].bounded for a in node.args}):
        found = found & xp.all_finite(trace.values[arg])
    return found


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """A function applied to each array of a tree of dicts, tuples and lists."""
    if isinstance(tree, dict):
        return {name: mapped(function, part) for name, part in tree.items()}
    if isinstance(tree, tuple | list):
        parts = [mapped(function, part) for part in tree]
        if hasattr(tree, "_fields"):  # a named tuple
            return type(tree)(*parts)
        return type(tree)(parts)
    return function(tree)
