"""The HTML report: one self-contained page that needs no network, and works without scripts."""

from bridge.report.html.page import render_html

__all__ = ["render_html"]
