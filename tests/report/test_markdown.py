"""The step summary: readable Markdown in which no text from Lean formats anything."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from bridge.report.markdown import render_markdown
from tests.report.samples import REPORTS, all_holds, hostile, realistic

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def test_the_worst_comes_before_the_rest() -> None:
    text = render_markdown(realistic())
    assert text.startswith("# lean-obligations: 1 of 13 obligations fails, 5 are not verified, 2 ")
    assert text.index("## Needs attention") < text.index("## All obligations")
    assert (
        text.index("obligation-fails") < text.index("lean-sorry") < text.index("obligation-waived")
    )


def test_if_all_holds_nothing_needs_attention() -> None:
    text = render_markdown(all_holds())
    assert text.startswith("# lean-obligations: all 3 obligations that were checked hold\n")
    assert "Needs attention" not in text


def test_it_never_claims_that_numbers_prove() -> None:
    assert "Numbers are evidence on the instances drawn, not proofs." in render_markdown(
        all_holds()
    )


@pytest.mark.parametrize("name", REPORTS)
def test_every_row_has_the_cells_of_its_head(name: str) -> None:
    tokens = MARKDOWN.parse(render_markdown(REPORTS[name]()))
    columns = cells = 0
    for token in tokens:
        if token.type == "thead_open":
            columns = 0
        columns += token.type == "th_open"
        if token.type == "tr_open":
            cells = 0
        cells += token.type == "td_open"
        if token.type == "tr_close" and cells:
            assert cells == columns


def test_hostile_text_makes_no_element_of_its_own() -> None:
    html = MARKDOWN.render(render_markdown(hostile()))
    for element in ("<script", "<img", "<a ", "<strong", "<em>", "onerror=alert(1)>"):
        assert element not in html


def test_what_a_conclusion_does_without_its_hypotheses_is_reported() -> None:
    text = render_markdown(realistic())
    assert "obligations replay layerNorm_hasFDerivAt:conclusion --seed 0 --family generic" in text
    assert (
        "- without <code>hVarEpsPos</code>: needed on 14, not needed on 16 of 30 violating" in text
    )
