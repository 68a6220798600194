"""Reports: one model, several renderings, all keyed by the same obligation."""

from bridge.report.model import SCHEMA, EngineInfo, Entry, Report

__all__ = ["SCHEMA", "EngineInfo", "Entry", "Report"]
