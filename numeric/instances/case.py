"""A batch of instances together with the graph that runs on them: the argument of a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from numeric.backends.backend import Backend, Question, finite
from numeric.instances.draw import Batch
from numeric.interpret.chunks import chunk_of
from numeric.interpret.derivative import complex_step
from numeric.interpret.dual import derivatives
from numeric.interpret.interpreter import Interpreter, Trace
from numeric.interpret.perturbation import Perturbation
from numeric.ops import Array
from numeric.streams import Streams

__all__ = ["Case"]

FloatArray = npt.NDArray[np.float64]
T = TypeVar("T")
KEPT_BYTES = 1 << 20
"""Values derived from instances are cached if their inputs take no more than this."""


@dataclass(frozen=True, slots=True)
class Case:
    """B instances of one graph.

    Attributes:
        beside: another graph of the same sizes to compare with.
        refuting: only a failure is of interest: measurements after one may be skipped.
        backend: answers the questions of `ask`, instead of numpy; nothing else.
    """

    program: Interpreter
    batch: Batch
    beside: Interpreter | None = None
    refuting: bool = False
    backend: Backend | None = None
    _tangents: dict[str, FloatArray] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _cotangent: list[FloatArray] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    _finite: list[npt.NDArray[np.bool_]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    _runs: list[Trace] = field(default_factory=list, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.batch)

    def take(self, rows: npt.NDArray[np.int64]) -> Case:
        """Some of the instances."""
        batch = self.once(("rows", rows.tobytes()), lambda: self.batch.take(rows))
        return replace(self, batch=batch)

    @property
    def _shares(self) -> bool:
        return self.refuting and self.batch.bytes <= KEPT_BYTES

    def once(self, name: object, compute: Callable[[], T]) -> T:
        """A value that follows from the instances alone, and not from the graph's nodes.

        In a search for failures, many mutants of a graph run on the same instances: the value is
        computed once for all of them, if the inputs are small, and must not be written to.

        Args:
            name: unique among these values.
            compute: computes the value.
        """
        if not self._shares:
            return compute()
        known = self.batch.known
        if name not in known:
            known[name] = compute()
        found: T = known[name]
        return found

    def piece(self, end: str, start: str | None = None) -> Case:
        """The same instances of a part of the graph: up to the saved tensor ``end``, and if
        ``start`` is given, from that one on, at the value that the graph has there."""
        program = self.program.piece(end, start)
        values: dict[str, FloatArray] = dict(self.batch.inputs)
        if start is not None:
            values[start] = np.asarray(self.run()[start], dtype=np.float64)
        batch = replace(
            self.batch, inputs={name: values[name] for name in program.graph.input_shapes}
        )
        return Case(program, batch, refuting=self.refuting, backend=self.backend)

    def perturbation(self, run: int) -> Perturbation:
        """The moves of one rerun; see `numeric.judge.tolerance`."""
        return Perturbation(self.batch.streams.child("noise", run))

    def reruns(self, runs: Sequence[int]) -> tuple[Case, Perturbation]:
        """The same instances once for each run, one run after the other, and their moves.

        Each ε is moved too, by two ulps, alternately up and down: where it cancels a variance, it
        decides a sign that no rounding of later results may affect.
        """
        batch, moves = self.once(("reruns", *runs), lambda: self._moved(runs))
        return replace(self, batch=batch), moves

    def _moved(self, runs: Sequence[int]) -> tuple[Batch, Perturbation]:
        again = self.batch.take(np.tile(np.arange(len(self)), len(runs)))
        up = np.repeat(np.asarray(runs) % 2 == 1, len(self))
        factor = 1.0 + np.where(up, 2.0**-51, -(2.0**-51))
        constants = {
            name: value * factor if name.startswith("eps") else value
            for name, value in again.constants.items()
        }
        keys = [self.perturbation(run).streams.keys for run in runs]
        known: dict[object, npt.NDArray[np.uint8]] | None = {} if self._shares else None
        moves = Perturbation(Streams(np.concatenate(keys)), known=known)
        return replace(again, constants=constants), moves

    def tangents(self) -> dict[str, FloatArray]:
        """A random direction for every input, ``(B, *shape)``; drawn once."""
        if not self._tangents:
            self._tangents.update(self.once("tangents", self._directions))
        return dict(self._tangents)

    def _directions(self) -> dict[str, FloatArray]:
        streams = self.batch.streams
        return {
            name: streams.child("tangent", name).directions(value.shape[1:])
            for name, value in self.batch.inputs.items()
        }

    def cotangent(self) -> FloatArray:
        """A random direction for the first output, ``(B, *shape)``; drawn once."""
        if not self._cotangent:
            graph = self.program.graph
            shape = graph.shape_of(graph.outputs[0])
            self._cotangent.append(self.batch.streams.child("cotangent").directions(shape))
        return self._cotangent[0]

    @property
    def constants(self) -> dict[str, FloatArray]:
        """The constants that the graph has; a mutant may have lost one."""
        symbols = self.program.graph.symbols
        return {name: value for name, value in self.batch.constants.items() if name in symbols}

    def run(self, perturbation: Perturbation | None = None) -> Trace:
        """All saved tensors; those of the plain run are cached, since every check starts from
        them."""
        if perturbation is not None:
            return self.program.evaluate(self.batch.inputs, self.constants, perturbation)
        if not self._runs:
            self._runs.append(self.program.evaluate(self.batch.inputs, self.constants))
        return self._runs[0]

    def finite(self) -> npt.NDArray[np.bool_]:
        """Where no infinity disappears in a finite result, as in 1/∞ = 0, ``(B,)``; every other
        operation propagates it."""
        if not self._finite:
            self._finite.append(finite(self.program, self.run()))
        return self._finite[0]

    @property
    def asks_a_backend(self) -> bool:
        """Whether a backend, not numpy, answers questions."""
        backend = self.backend
        return backend is not None and backend.takes(self.program.graph, len(self))

    def ask(self, question: Question, *arrays: Any) -> Any:
        """The answer to a question about the plain run (`numeric.interpret.questions`), by the
        backend if there is one for this many instances."""
        if self.backend is None or not self.asks_a_backend:
            return question(self.program, self.run(), *arrays)
        inputs, constants = self.batch.inputs, self.constants
        answer, known = self.backend.ask(question, self.program, inputs, constants, *arrays)
        self._finite[:] = [known]
        return answer

    def output(self, inputs: Mapping[str, Array]) -> Array:
        """The first output at other inputs, with the same constants."""
        return self.program.output(inputs, self.constants)

    def tangents_of(self, directions: Sequence[Mapping[str, FloatArray]]) -> FloatArray:
        """As `derivative`, by dual numbers: cheaper, but not the arbiter."""
        return derivatives(self.run(), directions)

    def derivative(
        self,
        directions: Sequence[Mapping[str, FloatArray]],
        perturbation: Perturbation | None = None,
    ) -> FloatArray:
        """The graph's derivative along each direction by complex step, ``(directions, B, *shape)``.

        Uses none of our derivative rules.
        """
        # As many at once as there are instances in a chunk: for large graphs, all runs together
        # would not fit in memory.
        most = chunk_of(self.program.graph)
        parts = [
            self._complex_step(directions[start : start + most], perturbation)
            for start in range(0, len(directions), most)
        ]
        return np.concatenate(parts)

    def _complex_step(
        self,
        directions: Sequence[Mapping[str, FloatArray]],
        perturbation: Perturbation | None,
    ) -> FloatArray:
        copies = len(directions)
        constants = {n: np.concatenate([v] * copies) for n, v in self.constants.items()}
        inputs = {n: np.concatenate([v] * copies) for n, v in self.batch.inputs.items()}
        tangents = {
            name: np.concatenate([d[name] if name in d else np.zeros_like(v) for d in directions])
            for name, v in self.batch.inputs.items()
            if any(name in d for d in directions)
        }

        def output(at: Mapping[str, Array]) -> Array:
            return self.program.output(at, constants, perturbation)

        found = complex_step(output, inputs, tangents)
        return found.reshape(copies, len(self), *found.shape[1:])
