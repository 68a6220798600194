"""Hostile text stays text in every kind of report."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bridge.report.escaping import (
    fenced,
    github_message,
    github_property,
    html_line,
    json_text,
    markdown,
    markdown_code,
    one_line,
    plain,
)
from tests.report.parts import EVIL

ANY = st.text(st.characters(exclude_categories=()), max_size=60)
TRICKY = st.text(
    st.sampled_from(list("`*_[]()#|~:@<>&\\!-+.1= \n\r\t\x1b\u202e\ud800ab$^{}%,")), max_size=40
)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@given(ANY)
def test_plain_text_can_be_written_and_drives_no_terminal(text: str) -> None:
    shown = plain(text)
    shown.encode("utf-8")
    assert all(c == "\n" or c >= " " for c in shown)
    assert not set(shown) & set(
        "\x7f\x85\x9b\u061c\u200b\u200e\u200f\u202a\u202e\u2066\u2069\ufeff\u2028"
    )
    assert plain(shown) == shown


def test_plain_keeps_what_lean_writes() -> None:
    lean = "∀ row, 0 < (f ε).eval ρ row ∧ x₁ ≠ ⟨a, b⟩ → 𝓝 x\n  ‖·‖"
    assert plain(lean) == lean


@given(TRICKY)
def test_one_line(text: str) -> None:
    assert "\n" not in one_line(text)


@given(st.one_of(ANY, TRICKY))
def test_json_text_loses_nothing(text: str) -> None:
    document = json_text(json.dumps({text: text}, ensure_ascii=False))
    document.encode("utf-8")
    assert json.loads(document) == {text: text}


@given(st.one_of(ANY, TRICKY))
def test_a_workflow_command_stays_one_line_with_its_own_properties(text: str) -> None:
    assert len(github_message(text).splitlines()) <= 1
    value = github_property(text)
    assert len(value.splitlines()) <= 1
    assert ":" not in value
    assert "," not in value


def test_workflow_escapes_can_be_read_back() -> None:
    assert github_message("50% a\nb") == "50%25 a%0Ab"
    assert github_property("a:b,c%") == "a%3Ab%2Cc%25"


def _text_of(source: str) -> str:
    """The text that Markdown shows, which must have no markup in it."""
    (opening, inline, closing) = MARKDOWN.parse(source)
    assert (opening.type, closing.type) == ("paragraph_open", "paragraph_close")
    assert {t.type for t in inline.children or []} <= {"text", "text_special"}, source
    return "".join(t.content for t in inline.children or [])


@given(st.one_of(ANY, TRICKY))
def test_markdown_shows_the_text_itself(text: str) -> None:
    line = one_line(text)
    if line:
        assert _text_of(markdown(text)) == line


@given(st.one_of(ANY, TRICKY))
def test_markdown_stays_in_its_cell(text: str) -> None:
    tokens = MARKDOWN.parse(f"| a | b |\n| --- | --- |\n| {markdown_code(text)} | end |\n")
    assert sum(t.type == "td_open" for t in tokens) == 2
    cells = [t.content for t in tokens if t.type == "inline"]
    assert cells[-1] == "end"


@given(st.one_of(ANY, TRICKY))
def test_a_fence_holds(text: str) -> None:
    tokens = MARKDOWN.parse(fenced(text, "sh") + "\n\nafter")
    assert [t.type for t in tokens][:1] == ["fence"]
    assert tokens[0].content.rstrip("\n") == plain(text).rstrip("\n")
    assert tokens[-2].content == "after"


@pytest.mark.parametrize("link", ["https://evil.example", "www.evil.example", "mailto:a@b.example"])
def test_markdown_makes_no_links(link: str) -> None:
    shown = markdown(link)
    assert link not in shown
    assert _text_of(shown) == link


def test_html_lines_have_no_tags() -> None:
    assert "<" not in html_line(EVIL)
    assert '"' not in html_line('a" onclick="x')
