"""Names and strings as Lean prints them: ``Name.toString`` and ``String.quote`` of Lean 4."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["name_text", "quoted"]

_LETTERS = (
    (0x3B1, 0x3C9),
    (0x391, 0x3A9),
    (0x3CA, 0x3FB),
    (0x1F00, 0x1FFE),
    (0x2100, 0x214F),
    (0x1D49C, 0x1D59F),
    (0xC0, 0xFF),
    (0x100, 0x17F),
)
_NO_LETTERS = frozenset("λΠΣ×÷")
_SUBSCRIPTS = ((0x2080, 0x2089), (0x2090, 0x209C), (0x1D62, 0x1D6A), (0x2C7C, 0x2C7C))


def _first(c: str) -> bool:
    letter = any(a <= ord(c) <= b for a, b in _LETTERS) and c not in _NO_LETTERS
    return (c.isascii() and c.isalpha()) or c == "_" or letter


def _rest(c: str) -> bool:
    subscript = any(a <= ord(c) <= b for a, b in _SUBSCRIPTS)
    return _first(c) or (c.isascii() and c.isdigit()) or c in "'!?" or subscript


def _escaped(part: str) -> str:
    if part and _first(part[0]) and all(map(_rest, part[1:])):
        return part
    return part if "»" in part else f"«{part}»"


def _plain(parts: Sequence[str | int]) -> bool:
    """Whether Lean prints a name without escaping it: inaccessible, hygienic, or not an
    identifier."""
    texts = [p for p in parts if isinstance(p, str)]
    last = texts[-1] if texts else ""
    odd_root = bool(parts) and isinstance(parts[0], str) and parts[0][:1] in ("#", "?")
    odd_last = last.endswith("_hyg") or "✝" in last or last == "_inaccessible"
    return odd_root or odd_last or list(parts) == ["_"]


def name_text(parts: Sequence[str | int]) -> str:
    """A name as Lean prints it; what is not an identifier is in French quotation marks."""
    if not parts:
        return "[anonymous]"
    plain = _plain(parts)
    return ".".join(p if plain and isinstance(p, str) else _part(p) for p in parts)


def _part(part: str | int) -> str:
    return str(part) if isinstance(part, int) else _escaped(part)


def quoted(text: str) -> str:
    """A string as Lean's ``String.quote`` writes it."""
    return '"' + "".join(map(_character, text)) + '"'


def _character(c: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", "\\": "\\\\", '"': '\\"'}
    if c in named:
        return named[c]
    return f"\\x{ord(c):02x}" if ord(c) <= 31 or ord(c) == 0x7F else c
