"""The closed form of every graph that has one, by the graph's name.

Each layer's file lists the forms of its own graphs in ``FORMS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from numeric.closed_forms import (
    attention,
    encoder_block,
    feed_forward,
    formulas,
    gelu,
    layer_norm,
    models,
    post_norm,
    pre_norm,
    rms_norm,
    softmax,
    stack,
    t5,
)
from numeric.closed_forms.form import Arguments, ClosedForm, arguments
from numeric.graph import Graph, GraphError

__all__ = [
    "CLOSED_FORMS",
    "Arguments",
    "ClosedForm",
    "add_closed_form",
    "arguments",
    "closed_form",
]

_LAYERS = (
    softmax,
    gelu,
    rms_norm,
    layer_norm,
    attention,
    feed_forward,
    post_norm,
    encoder_block,
    pre_norm,
    formulas,
    models,
    t5,
    stack,
)
_FORMS: dict[str, ClosedForm] = {
    name: form for layer in _LAYERS for name, form in layer.FORMS.items()
}
CLOSED_FORMS: Mapping[str, ClosedForm] = MappingProxyType(_FORMS)
"""By the name of the graph."""


def add_closed_form(graph: str, form: ClosedForm) -> None:
    """Give a project's own exported graph a closed form; its fidelity is an obligation from then
    on.

    Raises:
        GraphError: the graph already has one.
    """
    if graph in _FORMS:
        raise GraphError(f"graph {graph!r}", "expected a graph without a closed form")
    _FORMS[graph] = form


def closed_form(graph: Graph) -> ClosedForm:
    """The closed form of a graph.

    Raises:
        GraphError: there is none under its name.
    """
    try:
        return CLOSED_FORMS[graph.name]
    except KeyError:
        raise GraphError(
            f"graph {graph.name!r}",
            f"expected a graph with a closed form, one of {', '.join(CLOSED_FORMS)}",
        ) from None
