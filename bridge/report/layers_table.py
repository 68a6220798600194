"""A model's layers in the terminal: one line for each, with explanations below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge.report.escaping import one_line
from bridge.report.layers import LayerReport, ModelReport
from bridge.verdict import Verdict

__all__ = [
    "agreement_share",
    "captured_notes",
    "certificate_notes",
    "layer_differs",
    "layers_renderable",
    "model_lines",
]

STYLE = {
    Verdict.HOLDS: "green",
    Verdict.CERTIFIED: "bold green",
    Verdict.FAILS: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
}


def agreement_share(layer: LayerReport) -> float | None:
    """The tightest comparison of value or gradients, as a share of its tolerance."""
    shares = [
        o.worst.residual / o.worst.tolerance
        for o in layer.obligations
        if o.worst is not None and o.worst.tolerance > 0
    ]
    failing = any(o.verdict is Verdict.FAILS for o in layer.obligations)
    if not layer.applies and layer.captured is not None and not failing:
        compared = layer.captured.comparisons
        shares = [c.residual / c.tolerance for c in compared if c.tolerance > 0]
    return max(shares, default=None)


def layer_differs(layer: LayerReport) -> bool:
    """Whether the layer's own output differs from the theorem's by a known amount.

    If the theorem applies, the comparison of the values says it.
    """
    return not layer.applies and layer.output_difference is not None


def model_lines(model: ModelReport) -> tuple[str, ...]:
    """The model and its input, in a few sentences."""
    exact = "" if model.dtype in ("F64", "float64") else ", converted to float64, which is exact"
    layers = "layer" if len(model.layers) == 1 else "layers"
    plural = "" if model.sequences == 1 else "s"
    read = any(la.theorem is not None or la.assumptions for la in model.layers)
    kind = "encoder " if read else ""
    lines = [
        f"{model.source}: {len(model.layers)} {kind}{layers} ({model.naming}), {model.dtype}{exact}"
    ]
    if read and model.inputs:
        lines.append(
            f"input: {model.sequences} sequence{plural} of {model.seq_len} tokens, "
            f"{model.inputs}; each layer gets what the one before returns"
        )
    if model.example:
        lines.append(
            f"captured: the model ran once on {model.example}; each layer was given what its "
            "parent gives it"
        )
    if model.kind == "safetensors":
        lines.append(
            "The file holds weights and no code: what the model's own code computes, and its "
            "gradients, were not compared; a torch module has both (--model pkg.module:object)"
        )
    if model.settings:
        lines.append("; ".join(model.settings))
    lines += [f"The stack as a whole: {a}" for a in model.unmet]
    if model.outside:
        shown = ", ".join(model.outside[:6])
        more = f" and {len(model.outside) - 6} more" if len(model.outside) > 6 else ""
        lines.append(f"No theorem was asked about: {shown}{more}")
    return tuple(one_line(line) for line in lines)


def _groups(layers: Sequence[LayerReport]) -> list[tuple[str, list[LayerReport]]]:
    """Layers with the same explanation, side by side, under it."""
    groups: list[tuple[str, list[LayerReport]]] = []
    for layer in layers:
        said = layer.coverage
        if layer.captured is None and layer.output_difference is not None and not layer.applies:
            said = said.rpartition(" by at most ")[0] + " as given below"  # each its own number
        if groups and groups[-1][0] == said:
            groups[-1][1].append(layer)
        else:
            groups.append((said, [layer]))
    return groups


def _how(layer: LayerReport) -> str:
    if not layer.computed_by:
        return ""
    *others, last = layer.compared_with
    against = f"{', '.join(others)} and {last}" if others else last
    return f"value and backprop by {layer.computed_by}, against {against}"


def layers_renderable(model: ModelReport) -> RenderableType:
    """The layers as something rich can print."""
    parts: list[RenderableType] = [Text("layers", style="bold")]
    parts += [Padding(Text(line), (0, 0, 0, 2)) for line in model_lines(model)]
    for said, layers in _groups(model.layers):
        parts.append(Padding(Text(one_line(said), style="italic"), (1, 0, 0, 2)))
        how = _how(layers[0])
        if how:
            parts.append(Padding(Text(one_line(how), style="dim"), (0, 0, 0, 2)))
        parts.append(Padding(_rows(layers), (0, 0, 0, 2)))
        for layer in layers:
            parts += [Padding(Text(one_line(line)), (0, 0, 0, 4)) for line in _failures(layer)]
    return Padding(Group(*parts), (0, 0, 1, 0))


def _failures(layer: LayerReport) -> list[str]:
    found = [
        f"{layer.name}, {o.key} {o.verdict.value}: {o.reason}"
        for o in layer.obligations
        if o.verdict is not Verdict.HOLDS
    ]
    if layer.applies and layer.captured is not None:  # its coverage is about the block
        found += [f"{layer.name}, its own graph: {said}" for said in layer.captured.failing[:3]]
    said = (*captured_notes(layer), *certificate_notes(layer))
    return found + [f"{layer.name}: {each}" for each in said]


def certificate_notes(layer: LayerReport) -> list[str]:
    """What is certified about the gradients that the layer returned; nothing if not requested."""
    captured = layer.captured
    if captured is None or captured.certificate is None:
        return []
    return captured.certificate.notes(proved=captured.proof.proved)


def captured_notes(layer: LayerReport) -> list[str]:
    """Remarks on the captured graph of a layer, besides that it agrees."""
    captured = layer.captured
    if layer.applies or captured is None:
        return []
    found = []
    if captured.no_gradient:
        found.append(f"the gradient is None, which counts as 0: {', '.join(captured.no_gradient)}")
    rest = [n for n in captured.unseen if n not in captured.no_gradient]
    if rest:
        found.append(f"on this input only rounding is visible in: {', '.join(rest)}")
    return found


def _rows(layers: Sequence[LayerReport]) -> Table:
    differs = any(la.norms and not la.applies for la in layers)
    titles: tuple[str, ...] = ("var+ε₁", "std₁", "var+ε₂", "std₂", "agrees")
    if not any(la.norms for la in layers):
        titles = ("agrees",)
    elif differs:  # std is the root of the column next to it, and there is no room for it
        titles = ("var+ε₁", "var+ε₂", "agrees", "differs")
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("layer", ratio=1, overflow="fold")
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for layer in layers:
        cells = _cells(layer)
        table.add_row(
            Text(one_line(layer.name)),
            *(Text(cells.get(t, "")) for t in titles),
            Text(layer.verdict.value, style=STYLE[layer.verdict]),
        )
    return table


def _cells(layer: LayerReport) -> dict[str, str]:
    cells = {}
    for number, rows in zip("₁₂", layer.norms, strict=False):
        cells[f"var+ε{number}"] = f"{rows.least_var_eps:.1e}"
        cells[f"std{number}"] = f"{rows.least_std:.1e}"
    share, difference = agreement_share(layer), layer.output_difference
    if share is not None:
        cells["agrees"] = f"{share:.1g} tol"
    if difference is not None:
        cells["differs"] = f"{difference:.1e}"
    return cells
