"""One call of a module as a graph of ATen operations, with the value of every node.

``torch.export`` follows the module's own code (strict=False: it reads no bytecode), on exactly the
inputs of the call.  What does not depend on parameters or float inputs is known, and folded.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

__all__ = ["Exported", "Source", "export", "first_tensor", "is_mask", "tensors_in"]

DEEP = 4
"""How many levels of a module's return value are searched."""
HIDDEN = -1e30
"""What is added to scores to hide them: −∞, or the least number of some dtype."""


_BY_SHAPE = frozenset(
    f"aten.{name}"
    for name in (
        "new_zeros.default",
        "new_ones.default",
        "new_full.default",
        "zeros_like.default",
        "ones_like.default",
        "full_like.default",
        "sym_size.int",
    )
)
"""Operations that read only the shape of their argument."""


@dataclass(frozen=True, slots=True)
class Source:
    """The kind of an input of the graph: ``parameter``, ``buffer``, ``input`` or ``constant``, and
    its name in the module, or its place among the inputs."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A call as a graph.

    Attributes:
        nodes: all nodes that the output needs, in order.
        values: the value of each node, in float64 if it is a float.
        live: the nodes whose value depends on a parameter or a float input and is a float.
        frozen: the nodes that depend on these, but are not floats: an index, a comparison.
        sources: the sources of the placeholders.
        output: the node that the module returns, its first float tensor.
    """

    nodes: tuple[Any, ...]
    values: Mapping[Any, Any]
    live: frozenset[Any]
    frozen: frozenset[Any]
    sources: Mapping[Any, Source]
    output: Any


def first_tensor(output: Any) -> Any:
    """The first tensor in what a module returns, whatever holds it; the loss if there is one.

    Raises:
        TypeError: there is none.
    """
    found = next(tensors_in(output), None)
    if found is None:
        raise TypeError(f"it returned {type(output).__name__}, which holds no tensor")
    return found


def tensors_in(value: Any, depth: int = 0) -> Iterator[Any]:
    """The tensors in what a module returns, a loss before the others."""
    torch: Any = importlib.import_module("torch")
    if isinstance(value, torch.Tensor):
        yield value
    if depth == DEEP or isinstance(value, torch.Tensor | torch.nn.Module | str | bytes | type):
        return
    if isinstance(value, tuple | list):
        held = list(value)
    else:  # a mapping, or an object with members such as a dataclass
        named = value if isinstance(value, Mapping) else getattr(value, "__dict__", None) or {}
        held = [named.get("loss"), *named.values()]
    for inner in held:
        yield from tensors_in(inner, depth + 1)


def is_mask(name: str, value: Any) -> bool:
    """Whether a float input is a mask: it hides tokens, or all its entries are 0 or 1; or it is all
    zeros, and its name says so."""
    torch: Any = importlib.import_module("torch")
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return False
    if not bool(value.any()):
        return "mask" in name.lower()
    return bool((value <= HIDDEN).any()) or bool(((value == 0) | (value == 1)).all())


def export(module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Exported:
    """Capture ``module(*args, **kwargs)``; the module should be a copy in float64.

    Raises:
        Exception: whatever the module's own code or torch.export raises.
    """
    torch: Any = importlib.import_module("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = _first_alone(torch, module)
        program = torch.export.export(whole, tuple(args), dict(kwargs), strict=False)
        program = program.run_decompositions({})
    return _analysed(torch, program, args, kwargs)


def _first_alone(torch: Any, module: Any) -> Any:
    class First(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = module

        def forward(self, *args: Any, **kwargs: Any) -> Any:
            return first_tensor(self.layer(*args, **kwargs))

    return First()


def _analysed(
    torch: Any, program: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Exported:
    graph_module = _without_casts(torch, program.graph_module)
    sources, feeds, masks = _placeholders(torch, program, args, kwargs)
    values = _values(torch, graph_module, feeds)
    output = _returned(program, graph_module)
    needed: set[Any] = set()
    todo = [output]
    while todo:
        node = todo.pop()
        if node not in needed:
            needed.add(node)
            todo.extend(node.all_input_nodes)
    live: set[Any] = set()
    frozen: set[Any] = set()
    for node in graph_module.graph.nodes:
        if node not in needed:
            continue
        source, is_float = sources.get(node), _is_float(torch, values.get(node))
        if source is not None:  # token ids, positions and masks are arguments of the call
            given = source.kind == "input" and node not in masks
            moves = is_float and (given or source.kind == "parameter")
        else:
            moves = any(a in live or a in frozen for a in node.all_input_nodes)
            moves = moves and str(node.target) not in _BY_SHAPE
        if moves and not _is_empty(torch, values.get(node)):
            (live if is_float else frozen).add(node)
    order = tuple(n for n in graph_module.graph.nodes if n in needed)
    return Exported(order, values, frozenset(live), frozenset(frozen), sources, output)


def _returned(program: Any, graph_module: Any) -> Any:
    """The node that the module returns; buffers that the call changed come before it."""
    returned = next(n for n in graph_module.graph.nodes if n.op == "output").args[0]
    kinds = [s.kind.name for s in program.graph_signature.output_specs]
    return returned[kinds.index("USER_OUTPUT")]


def _is_empty(torch: Any, value: Any) -> bool:
    """A tensor without entries, such as the rest of a cut at its end."""
    return isinstance(value, torch.Tensor) and value.numel() == 0


def _is_float(torch: Any, value: Any) -> bool:
    if isinstance(value, tuple | list):
        return any(_is_float(torch, v) for v in value)
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _placeholders(
    torch: Any, program: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[dict[Any, Source], list[Any], set[Any]]:
    """What each placeholder is, the values to run with, and those that are masks."""
    kinds = {s.arg.name: s for s in program.graph_signature.input_specs}
    given = iter(torch.utils._pytree.tree_leaves((tuple(args), dict(kwargs))))
    state = {**program.state_dict, **program.constants}
    sources: dict[Any, Source] = {}
    feeds: list[Any] = []
    masks: set[Any] = set()
    place = 0
    for node in program.graph_module.graph.nodes:
        if node.op != "placeholder":
            continue
        spec = kinds[node.name]
        if spec.kind.name == "USER_INPUT":
            value = next(given)
            sources[node] = Source("input", str(place))
            place += 1
            if is_mask(node.name, value):
                masks.add(node)
        else:
            value = state[spec.target]
            kind = "parameter" if spec.kind.name == "PARAMETER" else "buffer"
            sources[node] = Source(kind, str(spec.target).removeprefix("layer."))
        if isinstance(value, torch.Tensor):
            value = value.detach()
            value = value.double() if value.is_floating_point() else value
        feeds.append(value)
    return sources, feeds, masks


def _without_casts(torch: Any, graph_module: Any) -> Any:
    """The graph with every cast to a shorter float one to float64: it is about real numbers."""
    short = (torch.float32, torch.float16, torch.bfloat16)
    aten = torch.ops.aten
    for node in graph_module.graph.nodes:
        node.kwargs = {
            k: torch.float64 if k == "dtype" and v in short else v for k, v in node.kwargs.items()
        }
        if node.target in (aten.softmax.int, aten.log_softmax.int):
            node.args = node.args[:2]
        elif node.target is aten.view.default:
            node.target = aten.reshape.default  # strides may have changed
        elif node.target is aten._assert_tensor_metadata.default:
            node.args, node.kwargs = node.args[:1], {}
        elif "dtype" not in node.kwargs:
            swapped = [
                torch.float64 if isinstance(a, torch.dtype) and a in short else a for a in node.args
            ]
            node.args = tuple(swapped)
    graph_module.recompile()
    return graph_module


def _values(torch: Any, graph_module: Any, feeds: list[Any]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}

    class Keeping(torch.fx.Interpreter):  # type: ignore[misc]
        def run_node(self, node: Any) -> Any:
            value = super().run_node(node)
            found[node] = value
            return value

    with torch.no_grad(), nullcontext():
        Keeping(graph_module, garbage_collect_values=False).run(*feeds)
    return found
