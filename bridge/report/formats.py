"""The report formats by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.report.github import render_github
from bridge.report.html import render_html
from bridge.report.json import render_json
from bridge.report.junit import render_junit
from bridge.report.markdown import render_markdown
from bridge.report.model import Report
from bridge.report.sarif import render_sarif
from bridge.report.table import render_table

__all__ = ["FORMATS", "Format", "render"]


@dataclass(frozen=True, slots=True)
class Format:
    """A rendering: the file it goes to, and the function from report to text."""

    file_name: str
    render: Callable[[Report], str]


FORMATS: Mapping[str, Format] = {
    "github": Format("annotations.txt", render_github),
    "html": Format("report.html", render_html),
    "json": Format("report.json", render_json),
    "junit": Format("report.junit.xml", render_junit),
    "markdown": Format("report.md", render_markdown),
    "sarif": Format("report.sarif", render_sarif),
    "table": Format("report.txt", render_table),
}


def render(report: Report, name: str) -> str:
    """The report in the format ``name``."""
    return FORMATS[name].render(report)
