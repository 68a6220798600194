"""Runs an exported graph: all saved tensors, JVP, VJP, and the magnitudes for tolerances.

Every array has one leading batch axis: an input of shape ``s`` is an array ``(B, *s)``.  Constants
that carry a symbol can be given per instance, as arrays ``(B,)``.  Nothing here decides anything;
see `numeric.judge.tolerance`.  Arrays are numpy's, or those of the interpreter's `Arrays`; complex
numbers and perturbations require numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from numeric.errors import EvaluationError
from numeric.graph import Graph, Node, last_uses, piece
from numeric.interpret.memory import keep_freed_memory
from numeric.interpret.perturbation import Perturbation, moved
from numeric.ops import NO_INDEX, NUMPY, OPS, Array, Arrays, Binding, Op

__all__ = ["Interpreter", "Trace"]

FloatArray = npt.NDArray[np.float64]
Tensors = Mapping[str, Array]
_DROPPED: Array = np.zeros(0)  # placeholder for a value that is no longer needed


@dataclass(frozen=True, slots=True)
class Trace:
    """Inputs and saved tensors of one run, each ``(B, *shape)``, in the graph's order."""

    graph: Graph
    values: tuple[Array, ...]
    bindings: tuple[Binding, ...] = field(repr=False)
    xp: Arrays = field(default=NUMPY, repr=False)

    def __getitem__(self, name: str) -> Array:
        """A saved tensor or an input by name; raises `GraphError` if there is none."""
        return self.values[self.graph.index(name)]

    @property
    def output(self) -> Array:
        """The first output."""
        return self.values[self.graph.outputs[0]]


class _Sizes:
    """The absolute values of a trace, each computed on first use, cached while small."""

    def __init__(self, trace: Trace, xp: Arrays) -> None:
        self._trace = trace
        self._xp = xp
        self._kept: dict[int, Array] = {}

    def __getitem__(self, index: int) -> Array:
        found = self._kept.get(index)
        if found is None:
            value = self._trace.values[index]
            found = self._kept[index] = self._xp.absolute(value)
        return found


class Interpreter:
    """A graph with the operations that run it.

    Args:
        graph: a validated graph.
        overrides: entries that replace the library's own at the named nodes; this is how a mutant
            puts a wrong derivative into one place.
        xp: the arrays to run on.
    """

    def __init__(
        self, graph: Graph, overrides: Mapping[str, Op] | None = None, xp: Arrays = NUMPY
    ) -> None:
        keep_freed_memory()
        self.graph = graph
        self.xp = xp
        self._overrides = replaced = dict(overrides or {})
        for name in replaced:
            graph.node(name)
        self._ops = tuple(replaced.get(n.name, OPS[n.op]) for n in graph.nodes)
        self._bindings = tuple(self._binding(n, {}) for n in graph.nodes)
        self._last_uses = last_uses(graph)

    @property
    def changed(self) -> bool:
        """Whether entries replace the library's own."""
        return bool(self._overrides)

    def on(self, xp: Arrays) -> Interpreter:
        """The same program on other arrays."""
        return Interpreter(self.graph, self._overrides, xp)

    def piece(self, end: str, start: str | None = None) -> Interpreter:
        """The part of this graph that leads to ``end``; see `numeric.graph.piece`."""
        cut = piece(self.graph, end, start)
        names = {n.name for n in cut.nodes}
        return Interpreter(cut, {n: op for n, op in self._overrides.items() if n in names}, self.xp)

    def evaluate(
        self,
        inputs: Tensors,
        constants: Mapping[str, FloatArray] | None = None,
        perturbation: Perturbation | None = None,
    ) -> Trace:
        """All values of the graph, in float64 or complex128.

        Args:
            inputs: one array ``(B, *shape)`` for every input, by name.
            constants: values ``(B,)`` of the symbols to rebind; the others keep the graph's own.
            perturbation: if given, every result is moved by ± an ulp.

        Raises:
            EvaluationError: an input or a constant is missing, unknown or of the wrong shape.
        """
        values, bindings = self._run(inputs, constants, perturbation, keep=True)
        return Trace(self.graph, tuple(values), tuple(bindings), self.xp)

    def output(
        self,
        inputs: Tensors,
        constants: Mapping[str, FloatArray] | None = None,
        perturbation: Perturbation | None = None,
    ) -> Array:
        """Only the first output, as `evaluate` computes it; each value is dropped after its last
        use."""
        values, _ = self._run(inputs, constants, perturbation, keep=False)
        return values[self.graph.outputs[0]]

    def _run(
        self,
        inputs: Tensors,
        constants: Mapping[str, FloatArray] | None,
        perturbation: Perturbation | None,
        *,
        keep: bool,
    ) -> tuple[list[Array], list[Binding]]:
        values, size = self._inputs(inputs)
        bound = self._constants(constants or {}, size)
        bindings: list[Binding] = []
        with np.errstate(all="ignore"):
            for position, (node, op) in enumerate(zip(self.graph.nodes, self._ops, strict=True)):
                binding = self._bindings[position]
                if node.params.c is not None and node.params.c.symbol in bound:
                    binding = self._binding(node, bound)
                args = tuple(values[a] for a in node.args)
                out = op.evaluate(args, binding)
                if perturbation is not None:
                    out = moved(op, args, out, binding, perturbation, position)
                bindings.append(binding)
                values.append(out)
                if not keep:
                    for read in self._last_uses[position]:
                        values[read] = _DROPPED
        return values, bindings

    def jvp(
        self, trace: Trace, tangents: Tensors, perturbation: Perturbation | None = None
    ) -> Array:
        """The tangent of the first output, from tangents ``(B, *shape)`` of inputs; those left out
        are 0."""
        flow = self._push(trace, self._by_index(tangents, trace), perturbation)
        found = flow[self.graph.outputs[0]]
        return self.xp.zeros_like(trace.output) if found is None else found

    def step(self, trace: Trace, position: int, args: tuple[Array, ...]) -> Array:
        """The value of one node at other arguments, real or complex."""
        with np.errstate(all="ignore"):
            return self._ops[position].evaluate(args, trace.bindings[position])

    def step_jvp(
        self, trace: Trace, position: int, tangents: tuple[Array, ...], *, magnitude: bool = False
    ) -> Array:
        """The tangent of one node from tangents of its arguments, at the trace's values.

        Args:
            position: of the node among the nodes.
            magnitude: return Σ|terms| instead.
        """
        node = self.graph.nodes[position]
        op = OPS[node.op] if magnitude else self._ops[position]
        args = tuple(trace.values[a] for a in node.args)
        out = trace.values[len(self.graph.inputs) + position]
        binding = trace.bindings[position]
        if magnitude:
            args = tuple(np.abs(a) for a in args)
            tangents = tuple(np.abs(t) for t in tangents)
        total: Array = np.zeros(out.shape)
        with np.errstate(all="ignore"):
            for partial, tangent in zip(op.partials, tangents, strict=True):
                pushed = partial.push(args, out, binding, tangent)
                total = total + (np.abs(pushed) if magnitude else pushed)
        return total

    def vjp(
        self, trace: Trace, cotangent: Array, perturbation: Perturbation | None = None
    ) -> dict[str, Array]:
        """Cotangents ``(B, *shape)`` of all inputs, from a cotangent of the first output."""
        graph = self.graph
        flow: list[Array | None] = [None] * len(trace.values)
        flow[graph.outputs[0]] = cotangent
        count = len(graph.inputs)
        with np.errstate(all="ignore"):
            for position in reversed(range(len(graph.nodes))):
                node, op = graph.nodes[position], self._ops[position]
                out_cotangent = flow[count + position]
                if out_cotangent is None:
                    continue
                flow[count + position] = None
                args = tuple(trace.values[a] for a in node.args)
                out, binding = trace.values[count + position], trace.bindings[position]
                for k, (arg, partial) in enumerate(zip(node.args, op.partials, strict=True)):
                    pulled = partial.pull(args, out, binding, out_cotangent)
                    if perturbation is not None:
                        sizes = tuple(np.abs(a) for a in args)
                        terms = partial.pull(sizes, out, binding, np.abs(out_cotangent))
                        shift = perturbation.shift(np.abs(terms), "pull", position, k)
                        pulled = pulled + shift
                    before = flow[arg]
                    flow[arg] = pulled if before is None else before + pulled
        return {
            given.name: self.xp.zeros_like(trace.values[i]) if (c := flow[i]) is None else c
            for i, given in enumerate(graph.inputs)
        }

    def jvp_magnitude(self, trace: Trace, tangents: Tensors) -> FloatArray:
        """Σ|terms| of the JVP: the sum over all paths of the product of absolute partials, ``(B,
        *shape)``."""
        sizes = {name: self.xp.absolute(t) for name, t in tangents.items()}
        flow = self._push(trace, self._by_index(sizes, trace), None, magnitudes=True)
        found = flow[self.graph.outputs[0]]
        return self.xp.zeros_like(trace.output) if found is None else found

    def vjp_magnitude(self, trace: Trace, cotangent: Array) -> dict[str, FloatArray]:
        """Σ|terms| of the VJP, by input, as `jvp_magnitude` for the JVP."""
        flow: list[Array | None] = [None] * len(trace.values)
        graph = self.graph
        flow[graph.outputs[0]] = self.xp.absolute(cotangent)
        count = len(graph.inputs)
        sizes = _Sizes(trace, self.xp)
        with np.errstate(all="ignore"):
            for position in reversed(range(len(graph.nodes))):
                incoming = flow[count + position]
                if incoming is None:
                    continue
                node, op = graph.nodes[position], OPS[graph.nodes[position].op]
                flow[count + position] = None
                args = tuple(sizes[a] for a in node.args)
                out, binding = trace.values[count + position], trace.bindings[position]
                for arg, partial in zip(node.args, op.partials, strict=True):
                    pulled = self.xp.absolute(partial.pull(args, out, binding, incoming))
                    before = flow[arg]
                    flow[arg] = pulled if before is None else before + pulled
        return {
            given.name: self.xp.zeros_like(trace.values[i]) if (c := flow[i]) is None else c
            for i, given in enumerate(graph.inputs)
        }

    def value_magnitudes(self, trace: Trace) -> tuple[FloatArray, ...]:
        """Σ|terms| of every value, ``(B, *shape)`` each: its running error bound in units of u.

        An operation adds its own rounding, |result| or the sum of its absolute terms, to the errors
        propagated from its arguments; inputs count as rounded once.  First order only.
        """
        sizes: list[Array] = [self.xp.absolute(v) for v in trace.values[: len(self.graph.inputs)]]
        count = len(sizes)
        with np.errstate(all="ignore"):
            for position, node in enumerate(self.graph.nodes):
                op = OPS[node.op]
                args = tuple(trace.values[a] for a in node.args)
                out, binding = trace.values[count + position], trace.bindings[position]
                total: Array | float = 0.0 if op.terms is None else op.terms(args, out, binding)
                for arg, partial in zip(node.args, op.partials, strict=True):
                    absolute = tuple(self.xp.absolute(a) for a in args)
                    total = total + self.xp.absolute(
                        partial.push(absolute, out, binding, sizes[arg])
                    )
                assert not isinstance(total, float)  # an operation has an argument
                sizes.append(total)
        return tuple(sizes)

    def _push(
        self,
        trace: Trace,
        flow: list[Array | None],
        perturbation: Perturbation | None,
        *,
        magnitudes: bool = False,
    ) -> list[Array | None]:
        count = len(self.graph.inputs)
        with np.errstate(all="ignore"):
            for position, node in enumerate(self.graph.nodes):
                if all(flow[a] is None for a in node.args):  # most, along one input alone
                    flow.append(None)
                    continue
                op = OPS[node.op] if magnitudes else self._ops[position]
                args = tuple(trace.values[a] for a in node.args)
                sizes = args
                if magnitudes or perturbation:
                    sizes = tuple(self.xp.absolute(a) for a in args)
                out, binding = trace.values[count + position], trace.bindings[position]
                total: Array | None = None
                for k, (arg, partial) in enumerate(zip(node.args, op.partials, strict=True)):
                    tangent = flow[arg]
                    if tangent is None:
                        continue
                    if magnitudes:
                        pushed = self.xp.absolute(partial.push(sizes, out, binding, tangent))
                    else:
                        pushed = partial.push(args, out, binding, tangent)
                    if perturbation is not None and op.terms is not None:
                        terms = np.abs(partial.push(sizes, out, binding, np.abs(tangent)))
                        pushed = pushed + perturbation.shift(terms, "push", position, k)
                    total = pushed if total is None else total + pushed
                flow.append(total)
        return flow

    def _by_index(self, tensors: Tensors, trace: Trace) -> list[Array | None]:
        unknown = set(tensors) - set(self.graph.input_shapes)
        if unknown:
            raise EvaluationError(f"expected directions of inputs but got {sorted(unknown)}")
        flow: list[Array | None] = []
        for i, given in enumerate(self.graph.inputs):
            tangent = tensors.get(given.name)
            if tangent is not None and tangent.shape != trace.values[i].shape:
                raise EvaluationError(
                    f"expected a direction of {given.name!r} of shape {trace.values[i].shape} "
                    f"but got {tangent.shape}"
                )
            flow.append(tangent)
        return flow

    def _inputs(self, inputs: Tensors) -> tuple[list[Array], int]:
        shapes = self.graph.input_shapes
        if set(inputs) != set(shapes):
            raise EvaluationError(
                f"expected inputs {list(shapes)} of {self.graph.name!r} but got {sorted(inputs)}"
            )
        size = next(iter(inputs.values())).shape[0]
        for name, shape in shapes.items():
            if inputs[name].shape != (size, *shape):
                raise EvaluationError(
                    f"expected {name!r} of shape {(size, *shape)}, batch axis first, "
                    f"but got {inputs[name].shape}"
                )
        return [inputs[name] for name in shapes], size

    def _constants(self, constants: Mapping[str, FloatArray], size: int) -> dict[str, FloatArray]:
        for name, value in constants.items():
            if name not in self.graph.symbols:
                raise EvaluationError(
                    f"expected constants among {list(self.graph.symbols)} of {self.graph.name!r} "
                    f"but got {name!r}"
                )
            if value.shape != (size,):
                raise EvaluationError(f"expected {name} of shape {(size,)} but got {value.shape}")
        return dict(constants)

    def _binding(self, node: Node, constants: Mapping[str, FloatArray]) -> Binding:
        params = node.params
        operand = self.graph.shape_of(node.args[0])
        c = self.xp.asarray(0.0)
        if params.c is not None:
            chosen = None if params.c.symbol is None else constants.get(params.c.symbol)
            if chosen is None:
                c = self.xp.asarray(params.c.value)
            else:
                c = chosen.reshape(-1, *(1 for _ in node.shape))
        return Binding(
            shape=node.shape,
            operand=operand,
            c=c,
            axis=0 if params.axis is None else params.axis + 1,
            perm=() if params.perm is None else (0, *(p + 1 for p in params.perm)),
            index=NO_INDEX if params.index is None else np.asarray(params.index, dtype=np.intp),
            xp=self.xp,
        )
