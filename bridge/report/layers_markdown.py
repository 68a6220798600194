"""A model's layers in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.report.escaping import markdown, markdown_code
from bridge.report.layers import LayerReport, ModelReport
from bridge.report.layers_table import (
    agreement_share,
    captured_notes,
    certificate_notes,
    layer_differs,
    model_lines,
)
from bridge.verdict import Verdict

__all__ = ["layers_markdown"]

_HEADS = ("layer", "var + ε₁", "std₁", "var + ε₂", "std₂", "agreement", "differs by", "verdict")


def layers_markdown(model: ModelReport) -> list[str]:
    """The section as lines; what is not covered, and what fails, in words below the table."""
    lines = ["## Layers", ""]
    for line in model_lines(model):
        lines += [markdown(line), ""]
    lines += [_row(_HEADS), f"|{'|'.join(' --- ' for _ in _HEADS)}|"]
    lines += [_row(_cells(layer)) for layer in model.layers]
    lines.append("")
    for layer in model.layers:
        if layer.verdict is not Verdict.HOLDS or layer.by_graph:
            lines += [f"- {markdown_code(layer.name)}: {markdown(said)}" for said in _words(layer)]
    return [*lines, ""]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _words(layer: LayerReport) -> Sequence[str]:
    failing = [o for o in layer.obligations if o.verdict is not Verdict.HOLDS]
    failures = (f"{o.key} {o.verdict.value}: {o.reason}" for o in failing)
    return [layer.coverage, *failures, *captured_notes(layer), *certificate_notes(layer)]


def _cells(layer: LayerReport) -> Sequence[str]:
    numbers = [f"{x:.3g}" for n in layer.norms for x in (n.least_var_eps, n.least_std)]
    share, difference = agreement_share(layer), layer.output_difference
    return (
        markdown_code(layer.name),
        *(markdown(x) for x in numbers or ["", "", "", ""]),
        "" if share is None else f"{share:.2g} of tolerance",
        markdown(f"{difference:.3g}") if layer_differs(layer) and difference is not None else "",
        layer.verdict.value,
    )
