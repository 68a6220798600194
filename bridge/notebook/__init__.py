"""Audits in notebooks and scripts: ``from bridge import audit``."""

from __future__ import annotations

from bridge.notebook.result import AuditResult
from bridge.notebook.run import audit

__all__ = ["AuditResult", "audit"]
