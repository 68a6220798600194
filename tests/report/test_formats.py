"""Every format renders every report, to its own file."""

from __future__ import annotations

import pytest

from bridge.report.formats import FORMATS, render
from tests.report.samples import REPORTS


def test_the_formats_of_the_contract() -> None:
    assert set(FORMATS) == {"table", "json", "junit", "sarif", "html", "github", "markdown"}
    assert len({f.file_name for f in FORMATS.values()}) == len(FORMATS)


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("style", FORMATS)
def test_every_format_renders_every_report(style: str, name: str) -> None:
    text = render(REPORTS[name](), style)
    text.encode("utf-8")
    assert text == "" or text.endswith("\n")
    assert not set(text) & set("\x00\x07\x1b\x7f\x85\u202e\u2066")
