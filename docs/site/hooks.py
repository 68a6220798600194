"""Hooks for mkdocs: parts generated from the code, and formulas.

A line ``<!-- generated: NAME -->`` in a page is replaced by the part that :data:`PARTS` generates
from the code.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

sys.path.insert(0, str(Path(__file__).parent))

from changes import unreleased
from cli_reference import cli_reference
from formulas import with_mathml
from tables import families, findings, hidden_errors, planted_errors, report_schema, settings

PARTS = {
    "cli": cli_reference,
    "families": families,
    "findings": findings,
    "hidden-errors": hidden_errors,
    "planted-errors": planted_errors,
    "report-schema": report_schema,
    "settings": settings,
    "unreleased": unreleased,
}
MARKER = re.compile(r"^<!-- generated: ([\w-]+) -->$", flags=re.M)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Insert generated parts where a page requests them."""

    def made(match: re.Match[str]) -> str:
        name = match[1]
        if name not in PARTS:
            raise PluginError(
                f"{page.file.src_uri}: nothing generates {name!r}; there is {', '.join(PARTS)}"
            )
        return PARTS[name]()

    return MARKER.sub(made, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Formulas become MathML, which browsers show without a script."""
    return with_mathml(html)
