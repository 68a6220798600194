"""ATen operations in the project's vocabulary, one rule for each.

Add an operation by writing its rule next to similar ones, with `rule`; an operation without a rule
is reported with the line of the model's code.
"""

from bridge.capture.aten import (
    activations,
    arithmetic,
    attention,
    layers,
    losses,
    moves,
    products,
)
from bridge.capture.aten.rule import RULES

__all__ = [
    "RULES",
    "activations",
    "arithmetic",
    "attention",
    "layers",
    "losses",
    "moves",
    "products",
]
