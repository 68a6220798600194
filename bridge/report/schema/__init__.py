"""The JSON Schemas that the reports are published with."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["report_schema"]


def report_schema() -> str:
    """The JSON Schema of ``obligations-report/1`` (draft 2020-12), as text."""
    name = "obligations-report-1.schema.json"
    return files("bridge.report.schema").joinpath(name).read_text(encoding="utf-8")
