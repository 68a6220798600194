"""From an exported call to a graph in the project's vocabulary."""

from __future__ import annotations

import importlib
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.capture.aten.rule import RULES, Untranslated
from bridge.capture.exported import Exported, Source
from bridge.capture.tape import Ref, Tape, tight
from numeric.graph import Graph, piece
from numeric.interpret.interpreter import Interpreter
from numeric.ops import Shape

__all__ = ["Captured", "translate"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Captured:
    """A call in the project's vocabulary.

    Attributes:
        graph: the graph; its first output is the module's first tensor.
        feeds: the value of each input in this call, by name, without axes of length 1.
        sources: what each input is.
        values: what ATen computed in float64 for nodes that represent one ATen node, by index.
        origins: the line of the model's code for each node.
        shape: the full shape of the output.
    """

    graph: Graph
    feeds: Mapping[str, FloatArray]
    sources: Mapping[str, Source]
    values: Mapping[int, FloatArray]
    origins: Mapping[str, str]
    shape: Shape


def translate(exported: Exported, name: str) -> Captured:
    """Write the call as a graph.

    Raises:
        Untranslated: an operation has no translation; the text names it and its line.
    """
    importlib.import_module("bridge.capture.aten")  # registers the rules
    return _Translator(exported).run(name)


class _Translator:
    """The context of the rules: see `bridge.capture.aten.rule.Context`."""

    def __init__(self, exported: Exported) -> None:
        self._torch: Any = importlib.import_module("torch")
        self.tape = Tape()
        self._call = exported
        self._refs: dict[Any, Ref | list[Ref]] = {}
        self._feeds: dict[str, FloatArray] = {}
        self._sources: dict[str, Source] = {}
        self._keeps: dict[Ref, Ref] = {}
        self._node: Any = None

    def run(self, name: str) -> Captured:
        call = self._call
        for node in call.nodes:
            if node in call.live and node.op == "placeholder":
                self._refs[node] = self._input(node.name, call.values[node], call.sources[node])
        for node in call.nodes:
            if node in call.live and node.op != "placeholder":
                self._refs[node] = self._translated(node)
        if call.output not in call.live:
            raise Untranslated("the output depends on no parameter and no float input")
        output = self.ref(call.output)
        graph = self.tape.graph(name, [output])
        return Captured(
            graph=graph,
            feeds=self._feeds,
            sources=self._sources,
            values=self._values(len(graph.inputs)),
            origins=self.tape.origins,
            shape=self.shape(call.output),
        )

    def _values(self, inputs: int) -> dict[int, FloatArray]:
        found = {}
        for node, ref in self._refs.items():
            if isinstance(ref, Ref) and ref.node and ref not in self._keeps:
                value = self._call.values[node]
                if isinstance(value, self._torch.Tensor):
                    found[inputs + ref.place] = _numbers(value)
        return found

    def _translated(self, node: Any) -> Ref | list[Ref]:
        self._node = node
        self.tape.origin = origin(node)
        found = RULES.get(_called(node))
        if found is None:
            raise self.refuse(f"it has no translation{self._others(_called(node))}")
        try:
            result = found(self, node, *node.args, **node.kwargs)
        except TypeError as e:  # arguments that the rule does not know
            raise self.refuse(f"with these arguments: {e}") from e
        if isinstance(result, Ref) and result.shape != tight(self.shape(node)):
            raise self.refuse(f"its translation has shape {result.shape}")
        return result

    def _others(self, first: str) -> str:
        """Further operations of the call that have no translation, each with its line."""
        lines: dict[str, str] = {}
        for node in self._call.nodes:
            if node in self._call.live and node.op != "placeholder" and _called(node) not in RULES:
                lines.setdefault(_called(node), origin(node))
        lines.pop(first, None)
        more = ", ".join(f"{name} ({line})" for name, line in lines.items())
        return f", nor have {more}" if more else ""

    def _input(self, name: str, value: Any, source: Source) -> Ref:
        ref = self.tape.input(name, tight(value.shape))
        own = self.tape.name(ref)
        self._feeds[own] = _numbers(value)
        self._sources[own] = source
        return ref

    def refuse(self, why: str) -> Untranslated:
        node = self._node
        return Untranslated(f"{node.target} ({node.name}): {why}; {origin(node)}")

    def live(self, a: Any) -> bool:
        return isinstance(a, self._torch.fx.Node) and a in self._call.live

    def known(self, a: Any) -> Any:
        if not isinstance(a, self._torch.fx.Node):
            return a
        if a in self._call.frozen:
            raise self.refuse(f"what it does depends on the data, by {a.target}")
        if a in self._call.live:
            raise self.refuse(f"{a.name} is not a constant")
        return self._call.values[a]

    def value(self, a: Any) -> Any:
        return self._call.values[a] if isinstance(a, self._torch.fx.Node) else a

    def shape(self, a: Any) -> Shape:
        value = self.value(a)
        return tuple(int(k) for k in value.shape) if hasattr(value, "shape") else ()

    def ref(self, a: Any, *, hidden: bool = False) -> Ref:
        if not self.live(a):
            return self._constant_node(a)
        found = self._refs[a]
        if isinstance(found, list):
            raise self.refuse(f"{a.name} has several values")
        if found in self._keeps and not hidden:
            raise self.refuse("a mask was added to its argument, and it is not a softmax")
        return found

    def pieces(self, a: Any) -> list[Ref]:
        found = self._refs[a]
        if isinstance(found, Ref):
            raise self.refuse(f"{a.name} is one value")
        return found

    def _constant_node(self, a: Any) -> Ref:
        value = self.known(a)
        if a in self._refs:
            found = self._refs[a]
            assert isinstance(found, Ref)  # constants are
            return found
        tensor = self._torch.as_tensor(value, dtype=self._torch.float64)
        name = getattr(a, "name", f"{self._node.name}.constant")
        ref = self._input(name, tensor, Source("constant", name))
        if isinstance(a, self._torch.fx.Node):
            self._refs[a] = ref
        return ref

    def constant(self, name: str, value: Any) -> Ref:
        return self._input(name, value, Source("constant", name))

    def spread(self, name: str, x: Ref, have: Sequence[int], want: Sequence[int]) -> Ref:
        have = (*(1 for _ in range(len(want) - len(have))), *have)
        axis = 0
        for k, length in zip(have, want, strict=True):
            if length == 1:
                continue
            if k == 1:
                x = self.tape.spread(f"{name}.spread", x, axis, length)
            axis += 1
        return x

    def at(self, name: str, a: Any, want: Sequence[int]) -> Ref:
        return self.spread(name, self.ref(a), self.shape(a), want)

    def scalar(self, a: Any) -> float | None:
        if isinstance(a, bool):
            return None
        if isinstance(a, int | float):
            return float(a)
        if isinstance(a, self._torch.fx.Node) and a not in self._call.live:
            value = self.known(a)
            if isinstance(value, self._torch.Tensor) and value.numel() == 1:
                return float(value)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
        return None

    def keep(self, x: Ref) -> Ref | None:
        return self._keeps.get(x)

    def hide(self, x: Ref, keep: Ref) -> Ref:
        self._keeps[x] = keep
        return x

    def some_kept(self, keep: Ref, axis: int) -> None:
        part = piece(self.tape.graph("part", [keep]), self.tape.name(keep))
        feeds = {i.name: self._feeds[i.name][None] for i in part.inputs}
        if not bool((Interpreter(part).output(feeds)[0].max(axis=axis) > 0).all()):
            raise self.refuse("a row of the mask keeps nothing: over the reals it would be 0/0")


def _called(node: Any) -> str:
    """The name of an operation, as in `RULES`."""
    return "getitem" if node.target is operator.getitem else str(node.target)


def _numbers(value: Any) -> FloatArray:
    array = value.detach().double().cpu().numpy()
    # ascontiguousarray would give a number an axis of length 1
    return np.array(array.reshape(tight(array.shape)), dtype=np.float64, order="C")


_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
_LIBRARY = ("/torch/", "\\torch\\", "capture/exported.py", "capture\\exported.py")


def origin(node: Any) -> str:
    """The innermost line of the model's own code, else of torch's modules, that made a node."""
    frames = _FRAME.findall(node.meta.get("stack_trace") or "")
    if not frames:
        return "no line of code is known"
    own = [f for f in frames if not any(part in f[0] for part in _LIBRARY)]
    file, line, function = (own or frames)[-1]
    modules = node.meta.get("nn_module_stack") or {}
    path = [p for p, _ in modules.values()] if modules else []
    where = str(path[-1]).removeprefix("layer.") if path and path[-1] else ""
    short = "/".join(file.replace("\\", "/").rsplit("/", 2)[-2:])
    return f"{short}:{line} in {function}" + (f", module {where}" if where else "")
