"""Text from Lean, made safe for each kind of report.

Names, statements and docstrings come from the audited sources, so they may contain anything:
control characters, markup, workflow commands, marks that change the writing direction.  Every
report writes such text only through one of these functions.
"""

from __future__ import annotations

import html
import re

__all__ = [
    "fenced",
    "github_message",
    "github_property",
    "html_line",
    "json_text",
    "markdown",
    "markdown_code",
    "one_line",
    "plain",
]

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Control characters; invisible marks or those that change the writing direction; what XML
# forbids and what UTF-8 cannot encode; the invisible "tag" copies of ASCII.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_OTHER_SPACES = re.compile(r"[^\S\n ]")
_MARKUP = re.compile(r"([\\`*_\[\]|~^$:@#])")
_LIST_OR_RULE = re.compile(r"^(\d*)([-+=.)])")


def plain(text: str) -> str:
    """``text`` with spaces and newlines as its only white space, without invisible characters."""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    return _OTHER_SPACES.sub(" ", _UNSEEN.sub(REPLACEMENT, text))


def one_line(text: str) -> str:
    """`plain` text on a single line, with single spaces."""
    return " ".join(plain(text).split())


def json_text(document: str) -> str:
    """A JSON document with invisible characters in strings written as ``\\uXXXX``: nothing is
    lost."""

    def spell(match: re.Match[str]) -> str:
        units = match[0].encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))

    return _UNSEEN.sub(spell, document)


def github_message(text: str) -> str:
    """The message of a workflow command: one line, whatever ``text`` contains."""
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def github_property(text: str) -> str:
    """A property of a workflow command, such as its file or title."""
    return github_message(one_line(text)).replace(":", "%3A").replace(",", "%2C")


def markdown(text: str) -> str:
    """Text on one line of Markdown, also in a table, that formats, links and mentions nothing."""
    inert = _MARKUP.sub(r"\\\1", one_line(text)).replace("www.", "www\\.")
    return html.escape(_LIST_OR_RULE.sub(r"\1\\\2", inert), quote=False)


def markdown_code(text: str) -> str:
    """Like `markdown`, set as code; an element, since in a code span a ``|`` would start a
    column."""
    return f"<code>{markdown(text)}</code>"


def html_line(text: str) -> str:
    """Text on one line of an HTML block, where Markdown is not interpreted."""
    return html.escape(one_line(text), quote=True)


def fenced(text: str, language: str = "") -> str:
    """A fenced block of Markdown that ``text`` cannot close."""
    body = plain(text)
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{body}\n{fence}"
