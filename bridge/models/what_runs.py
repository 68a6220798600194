"""The layers that no reading by names covers: each is captured as the model runs it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from bridge.capture import Example, Passed, examples, layers_of, run_once
from bridge.models.captured import Judgement, judge_layer
from bridge.models.inputs import Given
from bridge.models.layer import Model
from bridge.progress import Progress
from bridge.report.captured import CapturedForm, CapturedLayer, FormProof
from bridge.report.layers import LayerReport
from numeric.graph import Graph, graph_to_json, parse_graph

__all__ = ["Prover", "Ran", "what_runs"]

Prover: TypeAlias = Callable[[Sequence[Graph]], Sequence[FormProof]]
"""Asks Lean about graphs: one answer for each."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it.

    Attributes:
        layers: all layers, those that were read by their names and the others.
        forms: the graphs, each once.
        example: what went into the model, in words; empty where nothing had to be captured.
    """

    layers: tuple[LayerReport, ...]
    forms: tuple[CapturedForm, ...] = ()
    example: str = ""


def what_runs(
    model: Model,
    read: Sequence[LayerReport],
    given: Given,
    seed: int,
    watcher: Progress,
    prove: Prover | None = None,
) -> Ran:
    """Capture the layers of a torch module that are not covered by their names, and judge them.

    Args:
        model: with its module; a file has none, and stays as it is.
        read: the reports of the layers that were read by their names.
        given: what goes into the model, as far as the caller says.
        seed: random inputs and directions follow from it.
        watcher: who is told.
        prove: asks Lean about graphs; None where it is not to be asked.
    """
    if model.module is None:
        return Ran(tuple(read))
    wanted = _wanted(model, read)
    if not wanted:
        return Ran(tuple(read))
    try:
        passed = run_once(model.module, wanted, _examples(model.module, given, seed))
    except ValueError as e:
        found = {n: CapturedLayer(reason=f"the model could not be run: {e}") for n in wanted}
        return Ran(_merged(model, read, found, wanted), (), "")
    forms: dict[str, CapturedForm] = {}
    captured: dict[str, CapturedLayer] = {}
    for done, name in enumerate(wanted):
        watcher.update("capturing layers", done, len(wanted), unit=name)
        captured[name] = _judged(model, passed, name, seed, forms)
    watcher.update("capturing layers", len(wanted), len(wanted))
    captured = _in_order(captured, passed.order)
    captured = {n: _of_its_names(model, read, n, c) for n, c in captured.items()}
    if prove is not None and forms:
        proofs = prove([parse_graph(f.graph) for f in forms.values()])
        for key, proof in zip(list(forms), proofs, strict=True):
            forms[key] = replace(forms[key], proof=proof)
        by_name = {f.name: f.proof for f in forms.values()}
        captured = {
            n: replace(c, proof=by_name[c.form]) if c.form else c for n, c in captured.items()
        }
    layers = _merged(model, read, captured, wanted)
    return Ran(layers, tuple(forms.values()), passed.example.description)


def _wanted(model: Model, read: Sequence[LayerReport]) -> tuple[str, ...]:
    """Paths of the layers to capture, in the order of the module."""
    paths = {model.path(la.name): la for la in read}
    covered = {p for p, la in paths.items() if la.applies}

    def inside(name: str, others: set[str]) -> bool:
        return any(o == "" or name == o or name.startswith(f"{o}.") for o in others)

    found = [p for p in paths if p not in covered]
    found += [p for p in layers_of(model.module) if p not in paths and not inside(p, set(paths))]
    holds = {p for p in found if any(q != p and (p == "" or q.startswith(f"{p}.")) for q in paths)}
    order = {name: k for k, (name, _) in enumerate(model.module.named_modules())}
    return tuple(sorted((p for p in found if p not in holds), key=lambda p: order.get(p, 0)))


def _examples(module: Any, given: Given, seed: int) -> Iterator[Example]:
    torch: Any = importlib.import_module("torch")
    arrays = given.arrays()
    if arrays is None:
        yield from examples(module, given.seq_len, seed)
        return
    tensors = {n: torch.from_numpy(v) for n, v in arrays.items()}
    tensors = {n: v.double() if v.is_floating_point() else v for n, v in tensors.items()}
    if "x" not in tensors:
        yield Example((), tensors, given.description)
        return
    x = tensors.pop("x")
    x = x[None] if x.ndim == 2 else x[:1]
    text = given.description + (", without its mask" if tensors else "")
    yield Example((x,), {}, text)
    yield Example((), {"inputs_embeds": x}, text)


def _judged(
    model: Model, passed: Passed, name: str, seed: int, forms: dict[str, CapturedForm]
) -> CapturedLayer:
    call = passed.calls.get(name)
    if call is None:
        return CapturedLayer(reason="the model does not run it in one forward pass")
    own = model.module.get_submodule(name)
    found = judge_layer(own, call, name, seed, passed.order.count(name))
    return found.layer if found.captured is None else _with_form(found, forms)


def _with_form(found: Judgement, forms: dict[str, CapturedForm]) -> CapturedLayer:
    """Layers whose graphs are the same share one."""
    assert found.captured is not None
    graph = graph_to_json(found.captured.graph)
    key = json.dumps(graph, sort_keys=True)
    if key not in forms:
        forms[key] = CapturedForm(f"graph {len(forms) + 1}", graph, dict(found.captured.origins))
    return replace(found.layer, form=forms[key].name)


def _in_order(
    captured: Mapping[str, CapturedLayer], order: Sequence[str]
) -> dict[str, CapturedLayer]:
    """A layer of a stack that runs before one that stands before it is said to."""
    found = dict(captured)
    ran = list(dict.fromkeys(order))
    stacks: dict[str, list[str]] = {}
    for name in captured:
        stacks.setdefault(name.rpartition(".")[0], []).append(name)
    for stack in stacks.values():
        inside = [n for n in ran if n in stack]
        expected = [n for n in stack if n in ran]
        for name, other in zip(inside, expected, strict=True):
            if name != other and not found[name].reason:
                said = (
                    f"it runs at place {inside.index(name)} of its stack, not {stack.index(name)}"
                )
                found[name] = replace(found[name], reason=said)
    return found


def _of_its_names(
    model: Model, read: Sequence[LayerReport], path: str, found: CapturedLayer
) -> CapturedLayer:
    """A layer with the names, the parts and the tensors of the library's block, to which its parent
    hands what the block has not, is another layer than its names say: its graph stands for what it
    computes on this input, and does not stand for the block."""
    layer = next((la for la in read if model.path(la.name) == path), None)
    if layer is None or found.reason:
        return found
    foreign = [f"{a.name}: {a.found}" for a in layer.assumptions if a.foreign]
    if not foreign:
        return found
    said = "it is not run as the block that it is by its names: "
    return replace(found, reason=said + "; ".join(foreign))


def _merged(
    model: Model,
    read: Sequence[LayerReport],
    captured: Mapping[str, CapturedLayer],
    wanted: Sequence[str],
) -> tuple[LayerReport, ...]:
    """The reports with what was captured, in the order of the module."""
    paths = {model.path(la.name): la for la in read}
    reports = {
        path: replace(la, captured=captured[path]) if path in captured else la
        for path, la in paths.items()
    }
    for path in wanted:
        if path not in reports:
            kind = type(model.module.get_submodule(path)).__name__
            reports[path] = LayerReport(
                name=path or kind,
                type=kind,
                sizes=(),
                theorem=None,
                applies=False,
                assumptions=(),
                captured=captured[path],
            )
    order = {name: k for k, (name, _) in enumerate(model.module.named_modules())}
    return tuple(reports[p] for p in sorted(reports, key=lambda p: order.get(p, 0)))
