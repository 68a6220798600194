"""Which inputs of a captured graph are masks of the library."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bridge.capture.masks import MASKS, masks_of
from tests.capture.architectures import make

for _name in ("torch", "transformers"):
    pytest.importorskip(_name, reason=f"{_name} is not installed")


def captured(name: str, tokens: int = 8) -> Any:
    """The first layer of a usual architecture."""
    capture: Any = importlib.import_module("bridge.capture")
    model = make(name)
    (part, *_) = capture.layers_of(model)
    call = capture.run_once(model, (part,), capture.examples(model, tokens, 0)).calls[part]
    layer = capture.copied(model.get_submodule(part))
    return capture.translate(capture.export(layer, call.args, call.kwargs), "captured")


def test_a_causal_mask_is_known_by_its_numbers() -> None:
    layer = captured("GPT-2")
    ((name, mask),) = masks_of(layer)
    assert mask == "causal"
    assert np.array_equal(layer.feeds[name], MASKS["causal"](8, 8))
    other = layer.feeds[name].copy()
    other[3, 1] = 0.0
    assert masks_of(replace(layer, feeds={**layer.feeds, name: other})) == ()


def test_a_sliding_window_is_another_mask() -> None:
    assert [mask for _, mask in masks_of(captured("Mistral", 3))] == ["causal"], "it is as long"
    assert masks_of(captured("Mistral")) == ()


def test_an_input_from_a_parent_is_not_a_mask() -> None:
    layer = captured("GPT-2")
    ((name, _),) = masks_of(layer)
    given = replace(layer.sources[name], kind="input")
    assert masks_of(replace(layer, sources={**layer.sources, name: given})) == ()
