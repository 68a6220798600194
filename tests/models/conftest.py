"""Fixtures for tests of models."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def without_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As without transformers, which would build the models that it knows: names are read."""
    monkeypatch.setitem(sys.modules, "transformers", None)
