"""The HTML page: self-contained, escaped, reachable by keyboard and readable by a screen reader."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from bridge.report.escaping import one_line, plain
from bridge.report.html import render_html
from bridge.report.html.anchors import anchor
from bridge.report.html.page import breakable, paragraphs
from bridge.verdict import LeanStatus, Verdict
from tests.report.parts import EVIL, entry, obligation
from tests.report.samples import REPORTS, all_holds, hostile, interrupted, realistic

VOID = {"meta", "br", "input", "use", "rect", "line", "circle", "path"}


@dataclass
class Page(HTMLParser):
    """A page's elements in order, its text, and errors in its nesting."""

    source: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    inline: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._stack: list[str] = []
        self.feed(self.source)
        self.close()
        self.wrong += [f"{tag} is not closed" for tag in self._stack]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID and tag != "wbr":
            self._stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._stack or self._stack.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self._stack and self._stack[-1] in ("style", "script"):
            self.inline[self._stack[-1]] = data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def all(self, attribute: str) -> list[str]:
        return [a[attribute] for _, a in self.elements if attribute in a]


@pytest.mark.parametrize("name", REPORTS)
def test_pages_are_well_nested_and_their_links_lead_somewhere(name: str) -> None:
    page = Page(render_html(REPORTS[name]()))
    assert page.wrong == []
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    for reference in (*page.all("href"), *(f"#{i}" for i in page.all("aria-labelledby"))):
        assert reference.startswith("#")
        assert reference[1:] in ids


@pytest.mark.parametrize("name", REPORTS)
def test_pages_need_no_network(name: str) -> None:
    page = Page(render_html(REPORTS[name]()))
    assert not {tag for tag, _ in page.elements} & {"link", "img", "iframe", "object", "base"}
    for attribute in ("src", "style", "action", "onclick", "onerror", "onload"):
        assert page.all(attribute) == []
    assert "url(" not in page.inline["style"]
    assert "@import" not in page.inline["style"]


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_but_our_own_style_and_script_may_run(name: str) -> None:
    page = Page(render_html(REPORTS[name]()))
    (policy,) = [
        a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in policy
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.inline[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
        assert sum(tag == kind for tag, _ in page.elements) == 1


def test_hostile_text_adds_no_element_and_no_attribute() -> None:
    page, benign = Page(render_html(hostile())), Page(render_html(realistic()))
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in benign.elements}
    names = {name for _, attributes in page.elements for name in attributes}
    assert names <= {name for _, attributes in benign.elements for name in attributes}
    assert plain(EVIL) in page.text
    assert one_line(EVIL) in page.text
    page.source.encode("utf-8")
    assert not set(page.source) & set("\x00\x1b\x7f\x85\u200b\u202e\u2066\ufeff\ud800")


def test_template_syntax_from_lean_is_not_evaluated() -> None:
    text = Page(render_html(hostile())).text
    assert "{{ 7*7 }}" in text
    assert "49" not in text.replace(hostile().entries[0].obligation.statement_hash, "")


def test_every_obligation_is_shown_with_statement_verdict_and_lean_status() -> None:
    report = realistic()
    page = Page(render_html(report))
    for e in report.entries:
        o = e.obligation
        assert o.statement in page.text
        assert o.statement_hash in page.text
        assert anchor("o", o.key) in page.all("id")
    details = [a for tag, a in page.elements if tag == "details" and "data-verdict" in a]
    assert [a["data-verdict"] for a in details] == [e.verdict.value for e in report.entries]
    assert [a["data-verdict"] for a in details if "open" in a] == ["fails", "error"]


def test_a_counterexample_can_be_copied() -> None:
    text = Page(render_html(realistic())).text
    assert "--seed 0 --family 'large offset' --index 7" in text
    assert "residual 3.3e-07 > tolerance 1e-13" in text


def test_an_unofficial_or_incomplete_audit_is_marked() -> None:
    assert "not the official build" in Page(render_html(realistic())).text
    assert "not the official build" not in Page(render_html(all_holds())).text
    assert "the rest was not checked" in Page(render_html(interrupted())).text


def test_that_lean_was_not_run_is_said_once() -> None:
    def unchecked(names: Sequence[str]) -> list[str]:
        entries = [entry(obligation(f"{n}:conclusion", status=LeanStatus.UNCHECKED)) for n in names]
        page = render_html(replace(all_holds(), entries=tuple(entries)))
        return re.findall(r'Lean: unchecked</span><span class="subject">(.*?)</span>', page)

    assert unchecked(["a", "b", "c"]) == ["3 theorems"]
    assert unchecked(["a"]) == ["a"]


def test_it_is_readable_by_screen_readers_and_keyboards() -> None:
    page = Page(render_html(realistic()))
    for tag, attributes in page.elements:
        if attributes.get("role") == "img":
            assert attributes["aria-label"], tag
        if tag == "svg" and "role" not in attributes:
            assert attributes["aria-hidden"] == "true"
        if attributes.get("role") == "region":
            assert attributes["aria-label"]
            assert attributes["tabindex"] == "0"
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert ("html", {"lang": "en"}) in page.elements


def test_the_page_says_what_was_audited_and_at_which_commit() -> None:
    report = replace(realistic(), commit="0123456789abcdef", date="2026-01-02 03:04 UTC")
    page = render_html(report)
    assert f"<title>Proof obligations of {report.project} at 0123456789: " in page
    assert "0123456789abcdef" in page
    assert "2026-01-02 03:04 UTC" in page
    assert "Date of the sources" not in render_html(realistic())


def test_a_waiver_gives_its_reason_on_its_row() -> None:
    summaries = re.findall(r"<summary>.*?</summary>", render_html(realistic()), re.DOTALL)
    (waived,) = [s for s in summaries if "v-waived" in s]
    assert "waived: equivalent to hVarEpsPos" in waived


def test_findings_have_their_line_and_the_next_step() -> None:
    page = render_html(realistic())
    entries = re.findall(r"<li><a href=.*?</a></li>", page, re.DOTALL)
    assert entries
    for text in entries:
        place = re.search(r'class="said place">(.*?)</span>', text)
        assert place is not None
        assert re.fullmatch(r".*\.lean:\d+|exported graph", place[1].replace("<wbr>", ""))
        assert "→ " in text


def test_where_nothing_was_checked_nothing_is_green() -> None:
    waived = entry(obligation("t:conclusion"), Verdict.WAIVED, reason="not a number")
    page = render_html(replace(all_holds(), entries=(waived,)))
    assert '<p class="headline exit-none">Nothing was checked' in page
    assert '<p class="headline exit-0">' in render_html(all_holds())


def test_a_vacuous_theorem_is_not_green() -> None:
    o = obligation("t:conclusion", status=LeanStatus.PROVED)
    reason = "the theorem says nothing: its conclusion is True"
    report = replace(all_holds(), entries=(entry(o, Verdict.FAILS, reason=reason),))
    assert 'class="lean good"' not in render_html(report)
    assert 'class="lean good"' in render_html(all_holds())


def test_without_scripts_nothing_dead_is_shown() -> None:
    """Buttons are made by the script; the search box waits, hidden, for it."""
    page = Page(render_html(realistic()))
    (tools,) = [a for _, a in page.elements if a.get("class") == "tools"]
    assert "hidden" in tools
    assert [a["id"] for tag, a in page.elements if tag == "button"] == ["expand"]


def test_the_same_audit_gives_the_same_page() -> None:
    assert render_html(realistic()) == render_html(realistic())


def test_anchors_of_different_names_differ() -> None:
    names = ["a:b", "a--b", "a-b", "a_b", "a.b", "a b", "a-2e-b", "ε", EVIL]
    made = [anchor("o", n) for n in names]
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", a) for a in made)


def test_docstrings_become_paragraphs_and_code() -> None:
    assert paragraphs("A `b`\nc.\n\nD `e.") == (
        ((False, "A "), (True, "b"), (False, " c.")),
        ((False, "D "), (False, "e.")),
    )
    assert paragraphs("") == ()


def test_long_names_may_break_but_are_escaped() -> None:
    assert breakable("a_b:c<d>") == "a_<wbr>b:<wbr>c&lt;d&gt;"


def _luminance(colour: str) -> float:
    if len(colour) == 4:
        colour = "#" + "".join(c * 2 for c in colour[1:])
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _palettes() -> dict[str, dict[str, str]]:
    css = files("bridge.report.html").joinpath("templates", "page.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    read = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block)) for block in (light, dark)]
    return {"light": read[0], "dark": {**read[0], **read[1]}}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(scheme: str) -> None:
    """WCAG 2 requires 4.5 : 1."""
    palette = _palettes()[scheme]
    pairs = [(ink, paper) for ink in ("ink", "soft", "link") for paper in ("paper", "card", "sunk")]
    pairs += [(name.removesuffix("-wash"), name) for name in palette if name.endswith("-wash")]
    pairs += [(name.removesuffix("-wash"), "card") for name in palette if name.endswith("-wash")]
    weak = {p: round(_contrast(palette[p[0]], palette[p[1]]), 2) for p in pairs}
    assert {p: c for p, c in weak.items() if c < 4.5} == {}
