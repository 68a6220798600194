"""The JSON Schemas of what Lean exports."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["proposition_schema"]


def proposition_schema() -> str:
    """The JSON Schema of one message of ``obligations-proposition/1`` (draft 2020-12), as text."""
    name = "obligations-proposition-1.schema.json"
    return files("bridge.lean.schema").joinpath(name).read_text(encoding="utf-8")
