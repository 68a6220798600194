"""Small charts as inline SVG; colours come from the page's style sheet by class.

The label of each chart says what it shows, so that nothing depends on colour or position alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from bridge.checking import Margins
from bridge.report.escaping import one_line
from bridge.report.wording import number

__all__ = [
    "MarginScale",
    "Share",
    "decade",
    "failed",
    "gauge",
    "held",
    "lollipop",
    "stacked_bar",
]


_NO_MARGINS = Margins()
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _power(exponent: int) -> str:
    return "10" + str(exponent).translate(_RAISED) if exponent else "1"


def decade(k: int) -> str:
    """The margins from 10ᵏ to below 10ᵏ⁺¹, in words."""
    return f"{_power(k)} to {_power(k + 1)}"


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a stacked bar: how many, what they are, and the class that colours them."""

    count: int
    what: str
    css: str


def _svg(
    css: str,
    width: int,
    height: int,
    label: str,
    body: str,
    *,
    stretch: bool = False,
    detail: str = "",
) -> Markup:
    """An image with a label and a description, ``detail``; ``body`` is markup of this module."""
    desc = Markup("<title>{}</title><desc>{}</desc>").format(one_line(label), one_line(detail))
    if not detail:
        desc = Markup("")
    ratio = Markup(' preserveAspectRatio="none"') if stretch else Markup("")
    return Markup(
        '<svg class="{}" viewBox="0 0 {} {}"{} role="img" aria-label="{}">{}{}</svg>'
    ).format(css, width, height, ratio, one_line(label), desc, Markup(body))


def stacked_bar(shares: Iterable[Share]) -> Markup:
    """A bar cut into shares of a whole, widths in proportion."""
    parts = [s for s in shares if s.count > 0]
    total = sum(s.count for s in parts)
    label = ", ".join(f"{s.count} {s.what}" for s in parts) or "none"
    if not total:
        return _svg("stacked", 1000, 10, label, '<rect class="track" width="1000" height="10"/>')
    body, x = "", 0.0
    for s in parts:
        width = 1000 * s.count / total
        body += f'<rect class="{escape(s.css)}" x="{x:.1f}" width="{width:.1f}" height="10"/>'
        x += width
    return _svg("stacked", 1000, 10, label, body, stretch=True)


LIMIT = 0.25
"""The position of 0 on a scale for margins of either sign."""


@dataclass(frozen=True, slots=True)
class MarginScale:
    """A logarithmic scale for margins of either sign: powers of ten from ``low`` to ``high``.

    With ``signed``, negative margins go left of the limit, mirrored and narrower: there are few.
    """

    low: int
    high: int
    signed: bool

    @classmethod
    def of(cls, margins: Iterable[float | None]) -> MarginScale | None:
        """The scale for all these margins; ``None`` if there is none to show."""
        finite = [m for m in margins if m is not None and math.isfinite(m)]
        if not finite:
            return None
        sizes = [math.log10(abs(m)) for m in finite if m]
        low = math.floor(min(sizes, default=-1))
        high = math.ceil(max(sizes, default=0))
        return cls(low, max(high, low + 1), any(m <= 0 for m in finite))

    def place(self, margin: float) -> float:
        """The position of ``margin``, from 0 (left) to 1."""
        if not margin:
            return LIMIT
        t = (math.log10(abs(margin)) - self.low) / (self.high - self.low)
        t = min(1.0, max(0.0, t))
        if not self.signed:
            return 0.03 + 0.94 * t
        return LIMIT + 0.04 + 0.68 * t if margin > 0 else LIMIT - 0.04 - 0.18 * t

    @property
    def ends(self) -> tuple[str, str]:
        """The labels of the left and the right end of the scale."""
        top = _power(self.high)
        return (f"−{top}", top) if self.signed else (_power(self.low), top)


_AXIS, _HEIGHT = 30, 36


def lollipop(
    scale: MarginScale,
    margin: float | None,
    css: str,
    margins: Margins = _NO_MARGINS,
    beyond: Margins = _NO_MARGINS,
) -> Markup:
    """The margins of a family on a shared scale: a bar for each decade, and a stem from the limit
    to the tightest one, which has a head.  Bars of those ``beyond`` the limit, which fail, are on
    its other side and have the family's colour."""
    axis = f"{200 * LIMIT:g}" if scale.signed else "4"
    most = max((n for m in (margins, beyond) for _, n in m.decades), default=1)
    body = _bars(scale, margins, most, 1.0, "bar")
    if beyond.decades:
        body += f'<g class="{escape(css)}">{_bars(scale, beyond, most, -1.0, "bar beyond")}</g>'
    body += (
        f'<line class="axis" x1="0" x2="200" y1="{_AXIS}" y2="{_AXIS}"/>'
        f'<line class="limit" x1="{axis}" x2="{axis}" y1="{_AXIS - 8}" y2="{_AXIS + 8}"/>'
    )
    spread = "; ".join(f"{n} {where}" for where, n in (*held(margins), *failed(beyond)))
    if margin is None or not math.isfinite(margin):
        said = "no margin" if margin is None else f"margin {margin}"
        return _svg("lollipop", 200, _HEIGHT, said, body, detail=spread)
    x = 200 * scale.place(margin)
    head = f'<circle cx="{x:.1f}" cy="{_AXIS}" r="4"/>'
    if margin < 0:
        head = f'<path d="M{x:.1f} {_AXIS - 5.8} l5.8 5.8 -5.8 5.8 -5.8 -5.8z"/>'
    line = f'<line x1="{axis}" x2="{x:.1f}" y1="{_AXIS}" y2="{_AXIS}"/>'
    body += f'<g class="{escape(css)}">{line}{head}</g>'
    return _svg("lollipop", 200, _HEIGHT, f"tightest {number(margin)}", body, detail=spread)


def held(margins: Margins) -> list[tuple[str, int]]:
    """The margins of the instances that hold: the decade in words, and how many."""
    found = [("at the limit", margins.at_limit)] if margins.at_limit else []
    return found + [(f"from {decade(k)}", n) for k, n in margins.decades]


def failed(beyond: Margins) -> list[tuple[str, int]]:
    """The margins of the instances that fail: the decade in words, and how many."""
    found = [("failing at the limit", beyond.at_limit)] if beyond.at_limit else []
    return found + [(f"failing by {decade(k)}", n) for k, n in beyond.decades]


def _bars(scale: MarginScale, margins: Margins, most: int, sign: float, css: str) -> str:
    """A bar for each decade; heights are relative to the fullest one, and none vanishes."""
    body = ""
    for k, n in margins.decades:
        ends = (200 * scale.place(sign * float(f"1e{e}")) for e in (k, k + 1))
        left, right = sorted(ends)
        height = max(1.5, (_AXIS - 8) * n / most)
        body += (
            f'<rect class="{css}" x="{left + 0.4:.1f}" y="{_AXIS - 6 - height:.1f}" '
            f'width="{max(0.8, right - left - 0.8):.1f}" height="{height:.1f}"/>'
        )
    return body


_LEFT, _RIGHT, _LIMIT = 8.0, 352.0, 236.0


def gauge(residual: float, tolerance: float) -> Markup | None:
    """Residual against tolerance on a logarithmic scale; ``None`` if they cannot be drawn.

    If the tolerance is 0, as for ``0 < q``, the residual is −q and the scale is q's.
    """
    if not (math.isfinite(residual) and math.isfinite(tolerance)):
        return None
    if tolerance > 0:
        return _ratio_gauge(residual, tolerance)
    return _sign_gauge(tolerance - residual)


def _ratio_gauge(residual: float, tolerance: float) -> Markup:
    ratio = residual / tolerance
    power = math.log10(ratio) if ratio > 0 else -math.inf
    below = 4 if power > -4 else 8
    above = max(2, min(18, math.ceil(power) + 1)) if power > 0 else 2
    if power <= 0:
        t = max(0.0, 1 + power / below)
        x = _LEFT + t * (_LIMIT - _LEFT)
    else:
        x = _LIMIT + min(1.0, power / above) * (_RIGHT - _LIMIT)
    said = f"{number(ratio)} times the tolerance"
    body = _frame(x, bad=ratio > 1)
    body += _tick(_LEFT, f"{_power(-below)}×", "start") + _tick(_LIMIT, "tolerance", "middle")
    body += _tick(_RIGHT, f"{_power(above)}×", "end")
    body += _head(x, said)
    return _svg(
        "gauge", 360, 62, f"residual {number(residual)} is {said}, {number(tolerance)}", body
    )


def _sign_gauge(margin: float) -> Markup:
    # On a logarithmic scale the limit, 0, is infinitely far: it gets the tolerance's place.
    power = math.log10(abs(margin)) if margin else -math.inf
    low, high = -36, 4
    t = min(1.0, max(0.0, (power - low) / (high - low)))
    if margin > 0:
        x = _LIMIT - 8 - t * (_LIMIT - 8 - _LEFT)
    elif margin < 0:
        x = _LIMIT + 8 + t * (_RIGHT - 8 - _LIMIT)
    else:
        x = _LIMIT
    said = (
        f"{number(margin)} from the limit" if margin > 0 else f"beyond the limit: {number(margin)}"
    )
    body = _frame(x, bad=margin <= 0)
    body += _tick(_LEFT, _power(high), "start") + _tick(_LIMIT, "limit 0", "middle")
    body += _tick(_RIGHT, f"−{_power(high)}", "end")
    body += _head(x, said)
    return _svg("gauge", 360, 62, f"margin {number(margin)}, {said}", body)


def _frame(x: float, *, bad: bool) -> str:
    state = "bad" if bad else "good"
    return (
        f'<rect class="zone-good" x="{_LEFT}" y="25" width="{_LIMIT - _LEFT}" height="12" rx="3"/>'
        f'<rect class="zone-bad" x="{_LIMIT}" y="25" width="{_RIGHT - _LIMIT}" height="12" rx="3"/>'
        f'<line class="limit" x1="{_LIMIT}" x2="{_LIMIT}" y1="20" y2="42"/>'
        f'<g class="head {state}"><circle cx="{x:.1f}" cy="31" r="7"/></g>'
    )


def _tick(x: float, text: str, anchor: str) -> str:
    return f'<text class="tick" x="{x}" y="56" text-anchor="{anchor}">{escape(text)}</text>'


def _head(x: float, text: str) -> str:
    anchor = "start" if x < 90 else "end" if x > 270 else "middle"
    at = _LEFT if anchor == "start" else _RIGHT if anchor == "end" else x
    return f'<text class="value" x="{at:.1f}" y="14" text-anchor="{anchor}">{escape(text)}</text>'
