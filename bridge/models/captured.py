"""A layer's captured graph compared with what the unchanged layer computes.

The graph is run in float64, and compared with the layer's own code: its output with gradients, and
a second time; its gradients of every parameter and float input; the value of every ATen operation.
Casts to shorter floats are lifted for that.  Under ``no_grad`` a layer may compute something else,
which the graph does not cover: the report says so.  Then the unchanged layer runs in its own dtype:
there a difference counts as rounding up to 32 times the effect of moving every result of the graph
by ± one ulp of that dtype.  A smaller difference is no visible error; a larger one is wrong.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.capture import Call, Captured, Eager, copied, duplicate, export, run_eager, translate
from bridge.capture.aten.rule import Untranslated
from bridge.capture.eager import another_function, own_dtype, unlike_in_the_model
from bridge.capture.masks import masks_of
from bridge.capture.user_code import RAISED, said
from bridge.models import assumptions
from bridge.models.agreement import Agreement, compare
from bridge.models.certificates import enclose_gradients
from bridge.report.captured import CapturedLayer, Comparison, Condition
from bridge.report.certificate import GradientCertificate
from bridge.verdict import Verdict
from numeric.arithmetic.wide import Wide
from numeric.graph import Graph
from numeric.interpret.enclosure import radii
from numeric.interpret.interpreter import Interpreter, Trace
from numeric.interpret.perturbation import Perturbation
from numeric.interpret.shifted import shifted
from numeric.judge.measurement import Outcome
from numeric.streams import Streams

__all__ = ["Judgement", "judge_layer"]

FloatArray = npt.NDArray[np.float64]
Tensors = dict[str, FloatArray]

AUTOGRAD = "torch autograd in float64"
NODE_LIMIT = 1e-9
"""Relative; two right computations of one node differ by about 1e-15, apart from cancellation."""
UNSEEN = 1e-9
"""A gradient below this share of the layer's largest counts as rounding."""
_VERDICT = {
    Outcome.HOLDS: Verdict.HOLDS,
    Outcome.UNDECIDED: Verdict.INCONCLUSIVE,
    Outcome.FAILS: Verdict.FAILS,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The result, and the graph; None if there is none."""

    layer: CapturedLayer
    captured: Captured | None = None


def judge_layer(
    own: Any,
    call: Call,
    name: str,
    seed: int,
    calls: int,
    *,
    certify: bool = False,
    gave: Any = None,
) -> Judgement:
    """Capture one call of a layer, and compare its graph with the layer.

    Args:
        own: the layer; it is not changed.
        call: its arguments from its parent, in float64.
        name: the layer's name; determines random directions, with the seed.
        seed: see ``name``.
        calls: how often its parent runs it.
        certify: whether to bound the error of what it returns, in its own dtype, by ball
            arithmetic.
        gave: its first output in the model, in float64; None if unknown.
    """
    torch: Any = importlib.import_module("torch")
    dtype = own_dtype(own)
    if dtype is not None:  # the unchanged layer accepts these inputs
        call = call.to(dtype).to(torch.float64)
    try:
        # Separate copies: what one keeps of a call, such as a table, must not reach the other.
        exported, part = export(copied(own), call.args, call.kwargs), copied(own)
    except RAISED as e:  # the code is the user's: anything can happen
        return Judgement(CapturedLayer(reason=f"torch.export raised {said(e, 200)}", calls=calls))
    try:
        captured = translate(exported, "captured")
    except Untranslated as e:
        return Judgement(CapturedLayer(reason=str(e), calls=calls))
    except Exception as e:  # a bug of ours in one layer must not hide the others
        why = f"translating it broke, which is a bug in lean-obligations: {said(e, 200)}"
        return Judgement(CapturedLayer(reason=why, calls=calls))
    found = CapturedLayer(
        form="captured",
        nodes=len(captured.graph.nodes),
        inputs=len(captured.graph.inputs),
        calls=calls,
        masks=masks_of(captured),
    )
    try:
        held = _Held(captured, part, own, call, name, seed)
        found = held.judged(found)
        if not found.reason:
            found = replace(found, reason=unlike_in_the_model(own, call, gave))
        if certify:
            found = replace(found, certificate=held.certificate())
        return Judgement(found, captured)
    except RAISED as e:  # as above
        reason = f"running it by hand raised {said(e, 200)}"
        return Judgement(replace(found, reason=reason), captured)


class _Held:
    def __init__(
        self, captured: Captured, part: Any, own: Any, call: Call, name: str, seed: int
    ) -> None:
        self._torch: Any = importlib.import_module("torch")
        self._captured, self._part, self._own, self._call = captured, part, own, call
        self._program = Interpreter(captured.graph)
        self._streams = Streams.of(seed, name, "captured", [0])
        shape = captured.graph.shape_of(captured.graph.outputs[0])
        # For a single number, such as a loss, the gradient itself.
        drawn = self._streams.child("cotangent")
        self._cotangent = drawn.normal(shape) if shape else np.ones(1)

    def judged(self, found: CapturedLayer) -> CapturedLayer:
        trace = self._trace()
        if not _finite(trace):
            self._program = shifted(self._captured.graph)
            trace = self._trace()
        if not _finite(trace):
            return replace(found, reason="a value of the graph overflows in float64")
        eager = self._eager(self._part, self._call, lift=True)
        ours, theirs = self._pulled(trace), self._expected(eager)
        sizes = {n: float(np.abs(v).max()) for n, v in ours.items() if n != "output"}
        largest = max(sizes.values(), default=0.0)
        comparisons = self._comparisons(trace, ours, theirs, eager)
        begins, marks = self._begins(trace, comparisons)
        return replace(
            found,
            reason=self._another(),
            comparisons=(*comparisons, *self._own_dtype(ours)),
            conditions=_conditions(trace, self._captured.origins),
            no_gradient=tuple(n for n, g in eager.parameters.items() if g is None),
            unseen=tuple(n for n, size in sizes.items() if size <= UNSEEN * largest),
            begins=begins,
            marks=marks,
        )

    def _trace(self, noise: Perturbation | None = None) -> Trace:
        feeds = {n: v[None] for n, v in self._captured.feeds.items()}
        return self._program.evaluate(feeds, None, noise)

    def _eager(self, part: Any, call: Call, *, lift: bool) -> Eager:
        cotangent = self._cotangent.reshape(self._captured.shape)
        return run_eager(part, call, cotangent, lift=lift)

    def _pulled(self, trace: Trace, noise: Perturbation | None = None) -> Tensors:
        """Value and backprop of the graph by the names of the model; gradients of shared parameters
        add up, and what the graph does not read has gradient 0."""
        pulled = self._program.vjp(trace, self._cotangent, noise)
        found: Tensors = {"output": np.asarray(trace.output[0].real, np.float64)}
        for name, key in self._keys().items():
            value = np.asarray(pulled[name][0].real, np.float64)
            found[key] = found[key] + value if key in found else value
        for name, parameter in self._part.named_parameters():
            found.setdefault(_key("parameter", name), np.zeros(_tight(parameter.shape)))
        return found

    def _keys(self) -> dict[str, str]:
        """The graph's inputs that are parameters or float inputs, with their names in the model."""
        tied = _tied(self._part)
        return {
            name: _key(source.kind, tied.get(source.name, source.name))
            for name, source in self._captured.sources.items()
            if source.kind in ("parameter", "input")
        }

    def _named(self, output: Wide, pulled: Mapping[str, Wide]) -> dict[str, Wide]:
        """`_pulled` with radii."""
        found = {"output": output.moved(lambda x: x[0])}
        for name, key in self._keys().items():
            value = pulled[name].moved(lambda x: x[0])
            found[key] = found[key] + value if key in found else value
        for name, parameter in self._part.named_parameters():
            none = np.zeros(_tight(parameter.shape))
            found.setdefault(_key("parameter", name), Wide.exactly(none))
        return found

    def certificate(self) -> GradientCertificate:
        """Bounds on the error of what the unchanged layer returns in its own dtype."""
        torch = self._torch
        dtypes = {str(p.dtype) for p in self._own.parameters() if p.is_floating_point()}
        if len(dtypes) > 1:
            return GradientCertificate(
                "", reason=f"it has parameters of {', '.join(sorted(dtypes))}"
            )
        dtype = own_dtype(self._own) or torch.float64
        eager = self._eager(duplicate(self._own), self._call.to(dtype), lift=False)
        shape = self._captured.graph.shape_of(self._captured.graph.outputs[0])
        return enclose_gradients(
            self._trace(),
            eager.cotangent.reshape(shape),
            self._expected(eager),
            self._named,
            str(dtype).removeprefix("torch."),
        )

    def _expected(self, eager: Eager) -> Tensors:
        """The same tensors from the layer's own code; None counts as 0."""
        found: Tensors = {"output": eager.output.reshape(_tight(eager.output.shape))}
        for name, gradient in eager.parameters.items():
            shape = _tight(self._part.get_parameter(name).shape)
            found[name] = np.zeros(shape) if gradient is None else gradient.reshape(shape)
        read = {s.name for s in self._captured.sources.values() if s.kind == "input"}
        for place in read:
            gradient = eager.inputs[place]
            key = _key("input", place)
            if gradient is None:
                shape = next(
                    self._captured.feeds[n].shape
                    for n, s in self._captured.sources.items()
                    if s.kind == "input" and s.name == place
                )
                found[key] = np.zeros(shape)
            else:
                found[key] = gradient.reshape(_tight(gradient.shape))
        return found

    def _moved(self, unit: float) -> Callable[[int], Tensors]:
        def moved(rerun: int) -> Tensors:
            noise = Perturbation(self._streams.child("noise", rerun), unit)
            return self._pulled(self._trace(noise), noise)

        return moved

    def _comparisons(
        self, trace: Trace, ours: Tensors, theirs: Tensors, eager: Eager
    ) -> tuple[Comparison, ...]:
        moved = self._moved(2.0**-52)
        found = compare(AUTOGRAD, ours, theirs, moved)
        shape = ours["output"].shape
        again = self._eager(self._part, self._call, lift=True).output.reshape(shape)
        found += compare("a second call", ours, {"output": again}, moved)
        return tuple(_comparison(a) for a in found)

    def _another(self) -> str:
        """That the layer sometimes computes something else, or changes its gradients, which the
        graph does not cover; empty if it does neither."""
        hooked = assumptions.hooked(self._own)
        if hooked:
            return f"hooks on {', '.join(hooked)} may change their gradients"
        return another_function(self._own, self._call)

    def _own_dtype(self, ours: Tensors) -> tuple[Comparison, ...]:
        """The unchanged layer, in its own dtype: up to a bound, a difference is rounding."""
        torch, dtype = self._torch, own_dtype(self._own)
        if dtype is None:
            return ()
        eager = self._eager(duplicate(self._own), self._call.to(dtype), lift=False)
        title, inside = (str(d).removeprefix("torch.") for d in (dtype, eager.shortest))
        if inside != title:
            title += f", with {inside} inside"
        unit = float(torch.finfo(eager.shortest).eps)
        theirs, moved = self._expected(eager), self._moved(unit)
        agreements = compare(f"the model in {title}", ours, theirs, moved, unit=unit / 2)
        return tuple(_comparison(a, rounding=True) for a in agreements)

    def _begins(
        self, trace: Trace, comparisons: tuple[Comparison, ...]
    ) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The first node whose value differs from ATen's, else the first node through which all
        differing gradients pass; in words, and as marks of the graph."""
        graph = self._captured.graph
        count = len(graph.inputs)
        for index in sorted(self._captured.values):
            expected = self._captured.values[index]
            size = max(float(np.abs(expected).max()), 1e-280)
            if float(np.abs(trace.values[index][0] - expected).max()) > NODE_LIMIT * size:
                node = graph.nodes[index - count]
                mark = "the difference begins here"
                return self._words(node.name, node.op), ((node.name, mark),)
        apart = self._apart(comparisons)
        reached = [_readers(graph, index) for index in apart]
        common = set.intersection(*reached) if reached else set()
        if not common:
            return "", ()
        first = graph.nodes[min(common) - count]
        mark = "the gradients that differ come through here"
        inputs = tuple((graph.inputs[k].name, "its gradient differs") for k in apart)
        text = f"{self._words(first.name, first.op)}: {mark}"
        return text, ((first.name, mark), *inputs)

    def _words(self, name: str, op: str) -> str:
        return f"{name} ({op}), {self._captured.origins[name]}"

    def _apart(self, comparisons: tuple[Comparison, ...]) -> list[int]:
        """The inputs of the graph whose gradients differ from autograd's."""
        failing = {
            c.what
            for c in comparisons
            if c.verdict is Verdict.FAILS and c.against == AUTOGRAD and c.what != "output"
        }
        tied = _tied(self._part)
        found = []
        for place, given in enumerate(self._captured.graph.inputs):
            source = self._captured.sources[given.name]
            key = _key(source.kind, tied.get(source.name, source.name))
            if f"gradient of {key}" in failing:
                found.append(place)
        return found


def _readers(graph: Graph, index: int) -> set[int]:
    """The nodes that depend on a value."""
    found = {index}
    for place, node in enumerate(graph.nodes, len(graph.inputs)):
        if found & set(node.args):
            found.add(place)
    return found - {index}


def _comparison(a: Agreement, *, rounding: bool = False) -> Comparison:
    return Comparison(
        a.what, a.against, a.residual, a.tolerance, _VERDICT[a.outcome], rounding=rounding
    )


def _finite(trace: Trace) -> bool:
    return all(np.isfinite(v).all() for v in trace.values)


def _tight(shape: Any) -> tuple[int, ...]:
    return tuple(int(k) for k in shape if k != 1)


def _key(kind: str, name: str) -> str:
    return name if kind == "parameter" else f"input {name}"


def _tied(part: Any) -> dict[str, str]:
    """Every name of a parameter, with its name in `named_parameters`."""
    first = {id(p): n for n, p in part.named_parameters()}
    return {n: first[id(p)] for n, p in part.named_parameters(remove_duplicate=False)}


_CONDITIONS: Mapping[str, tuple[str, bool]] = {
    "sqrt": ("the argument of sqrt is positive", True),
    "log": ("the argument of log is positive", True),
    "inv": ("the argument of inv is not 0", False),
    "relu": ("the argument of relu is not 0", False),
}


def _conditions(trace: Trace, origins: Mapping[str, str]) -> tuple[Condition, ...]:
    """The side conditions of the operations, with rigorous radii, each at its tightest node."""
    graph, around = trace.graph, radii(trace)
    tightest: dict[str, Condition] = {}
    counts: dict[str, int] = {}
    for node in graph.nodes:
        rule = _CONDITIONS.get(node.op)
        if rule is None:
            continue
        what, signed = rule
        value, radius = np.asarray(trace.values[node.args[0]].real), around[node.args[0]]
        size = value if signed else np.abs(value)
        least = float((size - radius).min())
        broken = bool(((size + radius) <= 0).any())
        verdict = Verdict.HOLDS if least > 0 else Verdict.INCONCLUSIVE
        verdict = Verdict.FAILS if broken else verdict
        counts[node.op] = counts.get(node.op, 0) + 1
        before = tightest.get(node.op)
        if before is None or least < before.least:
            tightest[node.op] = Condition(what, node.name, origins[node.name], least, 0, verdict)
    return tuple(replace(c, nodes=counts[op]) for op, c in tightest.items())
