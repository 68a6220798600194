"""The audit of a model: layer by layer, one layer's weights at a time."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge import __version__
from bridge.auditing.audit import left_unseen, never_complete, without_refused
from bridge.auditing.judge import swapped_reason
from bridge.capture import eagerly
from bridge.engine.repository import folder_in_repository
from bridge.errors import InvalidInputError
from bridge.lean.library import Library
from bridge.lean.requests import GraphRequest
from bridge.lean.trust import Trust
from bridge.models import assumptions
from bridge.models.blocks import NOT_EXPORTED, Block, ClosedBlock, LeanBlock, Point
from bridge.models.inputs import Given, Inputs
from bridge.models.layer import BIASES, Layer, Model
from bridge.models.measure import HIDDEN, Passed, measure
from bridge.models.references import ModelCodeError
from bridge.models.theorems import THEOREMS, Theorems, obligations_of, theorems_for
from bridge.models.verdicts import entries_of, layer_obligations
from bridge.models.what_runs import Prover, Ran, what_runs
from bridge.policy.decisions import Policy, stale_reasons
from bridge.progress import Progress, Silent
from bridge.report import EngineInfo, Entry, Report
from bridge.report.layers import Assumption, LayerReport, ModelReport, NormRows
from numeric.errors import GraphError
from numeric.graph import parse_graph
from numeric.streams import Streams

__all__ = ["graph_requests", "judge_model"]

FloatArray = npt.NDArray[np.float64]


def graph_requests(model: Model, source: Given) -> tuple[GraphRequest, ...]:
    """The graphs that an audit of the model runs on, at the sizes of its layers."""
    wanted: dict[GraphRequest, None] = {}
    if _embeds(model, source):
        return ()
    for layer in model.layers:
        if layer.measurable:
            inputs = source(layer.d_model)
            theorems = theorems_for(layer, masked=inputs.mask is not None)
            wanted[_request(layer, theorems, inputs.seq_len)] = None
    return tuple(wanted)


def _embeds(model: Model, source: Given) -> tuple[str, ...]:
    """Names of given inputs that only the whole model accepts, such as token ids.

    Raises:
        InvalidInputError: the model has no arguments with these names.
    """
    names = () if model.module is None else source.embedded
    if names:
        _require_arguments(model, names)
    return names


def _require_arguments(model: Model, names: tuple[str, ...]) -> None:
    try:
        takes = inspect.signature(model.module.forward).parameters
    except (TypeError, ValueError):  # compiled code has no signature
        return
    wrong = [n for n in names if n not in takes]
    if wrong and not any(p.kind is p.VAR_KEYWORD for p in takes.values()):
        raise InvalidInputError(
            f"--inputs: the model takes no {', '.join(wrong)}: its forward has {', '.join(takes)}",
            remedy="give arrays by the names of its arguments, or x, the tokens of the first layer",
        )


def _request(layer: Layer, theorems: Theorems, seq_len: int) -> GraphRequest:
    return GraphRequest(theorems.graph, layer.sizes(seq_len))


@dataclass(slots=True)
class _Stream:
    """What flows from layer to layer of one stack: ``x``, one ``(seq_len, d_model)`` for each
    sequence, or why it was lost."""

    inputs: Inputs
    x: list[FloatArray]
    lost: str = ""


@eagerly()
def judge_model(
    library: Library,
    model: Model,
    source: Given,
    *,
    seed: int = 0,
    policy: Policy | None = None,
    trust: Trust | None = None,
    strict: bool = False,
    progress: Progress | None = None,
    prove: Prover | None = None,
    certify: bool = False,
    whole: bool = False,
) -> Report:
    """Judge the obligations of the block's theorems on every layer of a model.

    Layer k gets what layer k − 1 of its stack passes on.

    Args:
        library: what Lean says, with the graphs of `graph_requests`.
        model: from `bridge.models.read_model`.
        source: gives the sequences.
        seed: determines random directions, with the layer's name.
        policy: the lock, and what need not be tagged; waivers do not count for a model.
        trust: what is behind the statements; None if not looked at.
        strict: whether what this audit does not look at makes it incomplete.
        progress: the callback that receives updates.
        prove: asks Lean about the captured graphs; they stay unproved without it.
        certify: bound the error of what every layer returns by ball arithmetic on its captured
            graph.
        whole: capture the whole model too, with its loss if it has one.

    Returns:
        The obligations of the theorems that speak of a layer, each with its worst verdict over the
        layers, and the layers one by one as `Report.model`.

    Raises:
        InvalidInputError: a weight is not finite, the library lacks the theorems, or a name that
            need not be tagged does not exist.
    """
    watcher = progress or Silent()
    library = library if trust is None else without_refused(library, trust)
    policy = policy or Policy()
    swapped = swapped_reason(trust, policy)
    trust = None if trust is None else policy.left_out(trust, library)
    streams: dict[str, _Stream] = {}
    embedded = _embeds(model, source)
    found: list[tuple[Theorems, LayerReport]] = []
    interrupted = False
    try:
        for done, layer in enumerate(model.layers):
            watcher.update("auditing layers", done, len(model.layers), unit=layer.name)
            if embedded:
                found.append(_by_graph_alone(layer, source, embedded))
                continue
            if layer.stack not in streams:
                inputs = source(layer.d_model)
                streams[layer.stack] = _Stream(inputs, list(inputs.x))
            found.append(_audited(library, layer, streams[layer.stack], seed))
        watcher.update("auditing layers", len(model.layers), len(model.layers))
        reports = [report for _, report in found]
        ran = what_runs(model, reports, source, seed, watcher, prove, certify=certify, whole=whole)
    except KeyboardInterrupt:
        interrupted = True
        ran = Ran(tuple(report for _, report in found))
    first = next((s.inputs for s in streams.values()), None)
    if first is None and model.layers and not embedded:
        first = source(model.layers[0].d_model)
    sequences, seq_len = (1, source.seq_len) if first is None else (len(first), first.seq_len)
    if embedded:
        sequences, seq_len = source.shape
    proved = {la.name for la in ran.layers if la.proved}
    found = [(t, la) for t, la in found if la.name not in proved]  # they have their own theorem
    engine = library.engine
    unseen = (*left_unseen(library, policy, trust, whole=True), "the library itself (no --model)")
    return Report(
        tool=f"lean-obligations {__version__}",
        engine=EngineInfo(engine.kind, engine.lean_version, engine.official, engine.describe()),
        project=library.project.root.name,
        folder=folder_in_repository(library.project.root),
        seed=seed,
        entries=_entries(library, found, stale_reasons(library, policy.lock), swapped),
        interrupted=interrupted,
        trust=trust,
        unseen=(
            *never_complete(library, policy, whole=False),
            *(unseen if strict else ()),
        ),
        model=ModelReport(
            source=model.source,
            kind=model.kind,
            naming=model.naming,
            dtype=model.dtype,
            inputs="" if embedded else ran.example if first is None else first.description,
            sequences=sequences,
            seq_len=seq_len,
            settings=model.settings,
            layers=ran.layers,
            assumptions=(*_still_open(model.assumptions, ran.layers), *ran.assumptions),
            forms=ran.forms,
            example=ran.example,
            outside=model.outside,
        ),
    )


def _still_open(
    assumptions: Sequence[Assumption], layers: Sequence[LayerReport]
) -> tuple[Assumption, ...]:
    """Without the layers that could not be read by name but were captured."""
    captured = {la.name for la in layers if la.by_graph}
    return tuple(a for a in assumptions if a.name not in captured)


def _entries(
    library: Library,
    found: Sequence[tuple[Theorems, LayerReport]],
    stale: Mapping[str, str],
    swapped: str,
) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for theorems in THEOREMS:
        layers = [report for t, report in found if t == theorems]
        if layers:
            obligations = obligations_of(theorems, library.obligations)
            entries += entries_of(library, obligations, layers, stale, swapped)
    return tuple(entries)


def _audited(
    library: Library, layer: Layer, stream: _Stream, seed: int
) -> tuple[Theorems, LayerReport]:
    """`_audit_layer` for a layer whose code may break: the next layer then gets its input."""
    try:
        return _audit_layer(library, layer, stream, seed)
    except ModelCodeError as e:
        asked = (*layer.assumptions, Assumption("its code", "runs on tokens", e.message, None))
        theorems = theorems_for(layer, masked=stream.inputs.mask is not None)
        return theorems, _unmeasured(layer, stream.inputs.seq_len, asked)


def _audit_layer(
    library: Library,
    layer: Layer,
    stream: _Stream,
    seed: int,
) -> tuple[Theorems, LayerReport]:
    """Measure one layer, and move its stream on."""
    inputs = stream.inputs
    theorems = theorems_for(layer, masked=inputs.mask is not None)
    asked = layer.assumptions
    if inputs.mask is not None:
        asked = (*asked, assumptions.mask(bool(np.isneginf(inputs.mask).any()), finite=True))
    if inputs.seq_len == 1:
        asked = (*asked, assumptions.one_token())
    if layer.measurable and stream.lost:
        why = f"the output of {stream.lost} is not known"
        asked = (*asked, Assumption("input", "what the layer before returns", why, None))
    if not layer.measurable or stream.lost:
        if not stream.lost and not _move_on(layer, stream):
            stream.lost = layer.name
        return theorems, _unmeasured(layer, inputs.seq_len, asked)
    block = _block(library, _request(layer, theorems, inputs.seq_len))
    tensors = {name: value[None] for name, value in layer.load().items()}
    passed: list[Passed] = []
    for sequence, x in enumerate(stream.x):
        mask = None if inputs.mask is None else inputs.mask[sequence]
        at = _point(
            layer, theorems, tensors, x, mask, Streams.of(seed, layer.name, "model", [sequence])
        )
        passed.append(measure(layer, block, theorems, at, mask))
    stream.x = [p.output for p in passed]
    if inputs.seq_len > 1:  # otherwise it is reported already
        names = passed[0].blind
        asked = (*asked, *assumptions.seen({n: min(p.blind[n] for p in passed) for n in names}))
    obligations = obligations_of(theorems, library.obligations)
    differences = [p.difference for p in passed if p.difference is not None]
    return theorems, LayerReport(
        name=layer.name,
        type=layer.type,
        sizes=layer.sizes(inputs.seq_len),
        theorem=theorems.backprop,
        applies=all(a.met for a in asked),
        assumptions=asked,
        norms=tuple(_norm_rows(layer, passed, k) for k in (0, 1)),
        obligations=layer_obligations(theorems, obligations, passed, layer.eps),
        computed_by=" and ".join(dict.fromkeys(p.computed_by for p in passed)),
        compared_with=tuple(dict.fromkeys(a for p in passed for a in p.compared_with)),
        output_difference=max(differences) if len(differences) == len(passed) else None,
    )


def _by_graph_alone(
    layer: Layer, source: Given, names: tuple[str, ...]
) -> tuple[Theorems, LayerReport]:
    """A layer of a model that embeds its inputs itself: its input is known only when it runs."""
    asked = Assumption(
        "input",
        "tokens of the first layer, x",
        f"given are {', '.join(names)}, which the model's own code turns into tokens",
        None,
    )
    theorems = theorems_for(layer, masked=False)
    _, seq_len = source.shape
    return theorems, _unmeasured(layer, seq_len, (*layer.assumptions, asked))


def _move_on(layer: Layer, stream: _Stream) -> bool:
    """Let the model's own code run the stream through a layer that no theorem covers."""
    if layer.reference is None:
        return False
    masks = stream.inputs.mask
    stream.x = [
        layer.reference.own(x, None if masks is None else masks[i]) for i, x in enumerate(stream.x)
    ]
    return True


def _unmeasured(layer: Layer, seq_len: int, asked: tuple[Assumption, ...]) -> LayerReport:
    return LayerReport(layer.name, layer.type, layer.sizes(seq_len), None, False, asked)


def _block(library: Library, request: GraphRequest) -> Block:
    """The graph that Lean exports at the layer's sizes; the closed form if it exports none."""
    exported = library.graphs.members.get(request)
    if exported is None:
        return ClosedBlock(request.name, NOT_EXPORTED)
    try:
        return LeanBlock(parse_graph(exported))
    except GraphError as e:
        raise InvalidInputError(
            f"the exported graph {request.name} is malformed: {e}",
            remedy="correct its GraphFamily in the Lean sources",
        ) from e


def _point(
    layer: Layer,
    theorems: Theorems,
    tensors: Mapping[str, FloatArray],
    x: FloatArray,
    mask: FloatArray | None,
    streams: Streams,
) -> Point:
    inputs = {"x": x[None], **tensors}
    if theorems.biased:
        seq_len = len(x)
        numbers = np.zeros((seq_len, seq_len)) if mask is None else mask
        inputs["mask"] = np.where(np.isneginf(numbers), HIDDEN, numbers)[None]
    else:
        for name in BIASES:
            del inputs[name]
    constants = {f"eps{k}": np.full(1, e) for k, e in zip((1, 2), layer.eps, strict=True)}
    return Point(inputs, constants, dict(layer.sizes(len(x))), streams)


def _norm_rows(layer: Layer, passed: Sequence[Passed], which: int) -> NormRows:
    rows = np.stack([p.var_eps[which] for p in passed])
    sequence, row = (int(i) for i in np.unravel_index(int(np.argmin(rows)), rows.shape))
    least = float(rows[sequence, row])
    return NormRows(
        eps=layer.eps[which],
        least_var_eps=least,
        least_std=float(np.sqrt(max(least, 0.0))),
        sequence=sequence,
        row=row,
        rows=rows.size,
        zero_variance=sum(p.zero_variance[which] for p in passed),
        var_eps=rows,
    )
