r"""``\(…\)`` and ``\[…\]`` as MathML."""

from __future__ import annotations

import html as entities
import re

from latex2mathml.converter import convert

__all__ = ["with_mathml"]

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', flags=re.S)
BLOCK = re.compile(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', flags=re.S)


def with_mathml(html: str) -> str:
    """A page with its formulas converted.

    Raises:
        ValueError: a formula could not be converted, or one is left.
    """
    html = INLINE.sub(lambda m: _mathml(m[1], "inline"), html)
    html = BLOCK.sub(lambda m: f'<div class="formula">{_mathml(m[1], "block")}</div>', html)
    if 'class="arithmatex"' in html:
        raise ValueError("a formula is neither inline nor a block")
    return html


def _mathml(source: str, display: str) -> str:
    latex = entities.unescape(source).strip()
    made = convert(latex, display=display)
    if "\\" in made:
        raise ValueError(f"not understood in the formula {latex}")
    return made
