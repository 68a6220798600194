"""Masks of the library's blocks, as the numbers that a captured graph has for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bridge.capture.translate import Captured

__all__ = ["MASKS", "masks_of"]


def _causal(queries: int, keys: int) -> np.ndarray[Any, Any]:
    """``Mask.causal``: key j for query i where j <= i."""
    return np.tri(queries, keys)


MASKS: Mapping[str, Callable[[int, int], np.ndarray[Any, Any]]] = {"causal": _causal}
"""The masks by their names in ``#prove_graphs`` (``maskWords`` in ``Capture/Refine.lean``): one
where a key is allowed, else zero."""


def masks_of(captured: Captured) -> tuple[tuple[str, str], ...]:
    """The inputs of a captured graph that are masks, entry by entry, each with the mask's name.

    Only what the model computes from no parameter and no float input counts: it is not an input of
    the layer, and constant when the layer is differentiated.
    """
    fixed = [i for i in captured.graph.inputs if captured.sources[i.name].kind == "constant"]
    return tuple(
        (i.name, name)
        for i in fixed
        for name, mask in MASKS.items()
        if len(i.shape) == 2 and np.array_equal(mask(*i.shape), captured.feeds[i.name])
    )
