"""Captures, as the model runs them, the layers that reading by names does not cover."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from bridge.capture import Example, Passed, examples, layers_of, run_once, with_labels
from bridge.models.as_a_whole import as_a_whole, parts_of
from bridge.models.captured import Judgement, judge_layer
from bridge.models.certificates import held_against
from bridge.models.inputs import Given
from bridge.models.layer import Model
from bridge.progress import Progress
from bridge.report.captured import CapturedForm, CapturedLayer, FormProof
from bridge.report.layers import Assumption, LayerReport
from numeric.graph import Graph, graph_to_json, parse_graph

__all__ = ["Prover", "Ran", "what_runs"]

Prover: TypeAlias = Callable[[Sequence[Graph]], Sequence[FormProof]]
"""Asks Lean about graphs: one answer for each."""

SHORT = 16
"""The number of tokens of the sequences on which the whole model is run many times."""
NOT_OF_THE_WHOLE = FormProof(
    reason="Lean was not asked about the graph of the whole model: `obligations graph --prove` "
    "asks, which can take long"
)


@dataclass(frozen=True, slots=True)
class Ran:
    """The outcome.

    Attributes:
        layers: all layers, those that were read by their names and the others.
        forms: the graphs, each once.
        example: the model's input, in words; empty if nothing had to be captured.
        assumptions: about the model beyond its layers.
    """

    layers: tuple[LayerReport, ...]
    forms: tuple[CapturedForm, ...] = ()
    example: str = ""
    assumptions: tuple[Assumption, ...] = ()


def what_runs(
    model: Model,
    read: Sequence[LayerReport],
    given: Given,
    seed: int,
    watcher: Progress,
    prove: Prover | None = None,
    *,
    certify: bool = False,
    whole: bool = False,
) -> Ran:
    """Capture the layers of a torch module that are not covered by their names, and judge them; and
    examine what the model does beyond its layers.

    Args:
        model: the model with its module; a file has none, and is left alone.
        read: the reports of the layers that were read by their names.
        given: the model's input, as far as the caller gives it.
        seed: determines random inputs and directions.
        watcher: the callback that receives updates.
        prove: asks Lean about graphs; None if it should not be asked.
        certify: whether to bound the error of what each layer returns; captures every layer.
        whole: whether to capture the whole model too, with its loss if it has one.
    """
    if model.module is None:
        return Ran(tuple(read))
    wanted = _wanted(model, read, every=certify)
    every = parts_of(model)
    if not wanted and not whole and every == ("",):
        return Ran(tuple(read))
    try:
        parts = tuple(dict.fromkeys((*wanted, *every, *([""] if whole else []))))
        passed = run_once(model.module, parts, _examples(model.module, given, seed))
        if whole:
            labelled = with_labels(model.module, passed.example, seed)
            passed = run_once(model.module, parts, iter([labelled]))
    except ValueError as e:
        found = {n: CapturedLayer(reason=f"the model could not be run: {e}") for n in wanted}
        return Ran(_merged(model, read, found, wanted), (), "")
    watcher.update("running the whole model", 0, 1)
    short = replace(given, seq_len=min(given.seq_len, SHORT))
    beyond = as_a_whole(model, every, passed, _examples(model.module, short, seed), seed)
    watcher.update("running the whole model", 1, 1)
    if not wanted and not whole:
        return Ran(tuple(read), assumptions=beyond)
    forms: dict[str, CapturedForm] = {}
    captured: dict[str, CapturedLayer] = {}
    for done, name in enumerate(wanted):
        watcher.update("capturing layers", done, len(wanted), unit=name)
        captured[name] = _judged(model, passed, name, seed, forms, certify)
    watcher.update("capturing layers", len(wanted), len(wanted))
    captured = _in_order(captured, passed.order)
    captured = _as_often(model.module, captured, passed.order)
    captured = {n: _of_its_names(model, read, n, c) for n, c in captured.items()}
    if whole and "" not in captured:
        watcher.update("capturing the whole model", 0, 1)
        captured[""] = _judged(model, passed, "", seed, forms, False)
        watcher.update("capturing the whole model", 1, 1)
    if prove is not None and forms:
        alone = {captured[""].form} if whole and "" not in wanted else set()
        alone -= {c.form for n, c in captured.items() if n}  # a layer's form is sent to Lean
        asked = [k for k, f in forms.items() if f.name not in alone]
        for key in set(forms) - set(asked):
            forms[key] = replace(forms[key], proof=NOT_OF_THE_WHOLE)
        proofs = prove([parse_graph(forms[k].graph) for k in asked]) if asked else []
        for key, proof in zip(asked, proofs, strict=True):
            forms[key] = replace(forms[key], proof=proof)
        by_name = {f.name: f.proof for f in forms.values()}
        captured = {
            n: held_against(c, by_name[c.form]) if c.form else c for n, c in captured.items()
        }
    else:
        captured = {n: held_against(c, c.proof) for n, c in captured.items()}
    layers = _merged(model, read, captured, wanted)
    if whole and "" not in wanted:
        layers = (*layers, _whole(model, captured[""], passed))
    return Ran(layers, tuple(forms.values()), passed.example.description, beyond)


def _whole(model: Model, captured: CapturedLayer, passed: Passed) -> LayerReport:
    """The model itself as one more layer."""
    with_loss = "labels" in passed.example.kwargs
    kind = type(model.module).__name__
    return LayerReport(
        name="the whole model",
        type=f"{kind}, {'its loss' if with_loss else 'its first output: it has no loss'}",
        sizes=(),
        theorem=None,
        applies=False,
        assumptions=(),
        captured=captured,
    )


def _wanted(model: Model, read: Sequence[LayerReport], *, every: bool) -> tuple[str, ...]:
    """Paths of the layers to capture, in the order of the module."""
    paths = {model.path(la.name): la for la in read}
    covered = {p for p, la in paths.items() if la.applies and not every}

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
        text = given.description
        text = f"the arrays {text}" if text.startswith("from ") else text
        if getattr(getattr(module, "config", None), "use_cache", None):
            yield Example((), {"use_cache": False, **tensors}, text)
        yield Example((), tensors, text)
        return
    x = tensors.pop("x")
    x = x[None] if x.ndim == 2 else x[:1]
    text = given.description + (", without its mask" if tensors else "")
    yield Example((x,), {}, text)
    yield Example((), {"inputs_embeds": x}, text)


def _judged(
    model: Model,
    passed: Passed,
    name: str,
    seed: int,
    forms: dict[str, CapturedForm],
    certify: bool,
) -> CapturedLayer:
    call = passed.calls.get(name)
    if call is None:
        return CapturedLayer(reason="the model does not run it in one forward pass")
    own = model.module.get_submodule(name)
    calls, gave = passed.order.count(name), passed.outputs.get(name)
    found = judge_layer(own, call, name, seed, calls, certify=certify, gave=gave)
    return found.layer if found.captured is None else _with_form(found, forms)


def _with_form(found: Judgement, forms: dict[str, CapturedForm]) -> CapturedLayer:
    """Layers with the same graph share one form."""
    assert found.captured is not None
    graph = graph_to_json(found.captured.graph)
    key = json.dumps(graph, sort_keys=True)
    if key not in forms:
        forms[key] = CapturedForm(f"graph {len(forms) + 1}", graph, dict(found.captured.origins))
    return replace(found.layer, form=forms[key].name)


def _in_order(
    captured: Mapping[str, CapturedLayer], order: Sequence[str]
) -> dict[str, CapturedLayer]:
    """Give a reason to each layer that runs at another place than its place in the stack."""
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


def _as_often(
    module: Any, captured: Mapping[str, CapturedLayer], order: Sequence[str]
) -> dict[str, CapturedLayer]:
    """Give a reason to each layer that runs more often than another one of its stack.  A layer that
    occurs in several places may run in each; all may run twice, as on two sequences."""
    held = Counter(id(m) for _, m in module.named_modules(remove_duplicate=False))
    places = {n: held[id(module.get_submodule(n))] for n in captured}
    counts = Counter(order)
    found = dict(captured)
    stacks: dict[str, list[str]] = {}
    for name in captured:
        if counts[name]:
            stacks.setdefault(name.rpartition(".")[0], []).append(name)
    for stack in stacks.values():
        least = min(counts[n] / places[n] for n in stack)
        for name in stack:
            if counts[name] / places[name] > least and not found[name].reason:
                said = f"it runs {counts[name]} times, more often than others of its stack"
                found[name] = replace(found[name], reason=said)
    return found


def _of_its_names(
    model: Model, read: Sequence[LayerReport], path: str, found: CapturedLayer
) -> CapturedLayer:
    """Give a reason to a layer that has the names, parts and tensors of the library's block, but
    gets from its parent an argument that the block lacks: it is not the layer that its names
    indicate.  Its graph is what it computes on this input, not the block."""
    layer = next((la for la in read if model.path(la.name) == path), None)
    if layer is None or found.reason:
        return found
    foreign = [f"{a.name}: {a.found}" for a in layer.assumptions if a.foreign]
    if not foreign:
        return found
    said = "it does not run as the block that its names indicate: "
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
