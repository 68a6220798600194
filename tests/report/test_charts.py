"""The charts place values correctly, and describe themselves in words."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.checking import Margins
from bridge.report.html.charts import LIMIT, MarginScale, Share, gauge, lollipop, stacked_bar

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, min_size=1))
def test_a_scale_keeps_order_and_stays_in_its_frame(margins: list[float]) -> None:
    scale = MarginScale.of(margins)
    assert scale is not None
    places = [scale.place(m) for m in sorted(margins)]
    assert all(0 <= p <= 1 for p in places)
    assert all(a <= b + 1e-12 for a, b in pairwise(places))


@given(FINITE)
def test_negative_values_are_left_of_the_limit(margin: float) -> None:
    scale = MarginScale.of([margin, -1.0])
    assert scale is not None
    assert math.copysign(1, scale.place(margin) - LIMIT) == math.copysign(1, margin) or margin == 0


def test_there_is_no_scale_for_nothing() -> None:
    assert MarginScale.of([None, math.nan, math.inf]) is None


def _head(svg: str) -> tuple[float, str]:
    root = ElementTree.fromstring(svg)
    (group,) = root.findall("g")
    return float(group[0].attrib["cx"]), group.attrib["class"]


@given(st.floats(0, 1e300), st.floats(1e-300, 1e300))
def test_the_gauge_shows_on_which_side_of_the_tolerance_it_is(
    residual: float, tolerance: float
) -> None:
    ratio = residual / tolerance
    if not math.isfinite(ratio):
        return
    svg = gauge(residual, tolerance)
    assert svg is not None
    place, css = _head(svg)
    assert 8 <= place <= 352
    assert css == ("head bad" if ratio > 1 else "head good")
    assert place <= 236 if ratio <= 1 else place >= 236


@pytest.mark.parametrize(("margin", "css"), [(1e-300, "good"), (0.0, "bad"), (-1e-300, "bad")])
def test_the_gauge_of_a_sign(margin: float, css: str) -> None:
    svg = gauge(-margin, 0.0)
    assert svg is not None
    place, found = _head(svg)
    assert found == f"head {css}"
    assert (place < 236) == (margin > 0)


@pytest.mark.parametrize("pair", [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.inf)])
def test_no_gauge_for_what_is_not_a_number(pair: tuple[float, float]) -> None:
    assert gauge(*pair) is None


def test_a_bar_has_its_shares_and_states_them() -> None:
    svg = stacked_bar([Share(3, "held", "good"), Share(0, "failed", "bad"), Share(1, "<b>", "x")])
    widths = re.findall(r'width="([0-9.]+)"', svg)
    assert widths == ["750.0", "250.0"]
    assert 'aria-label="3 held, 1 &lt;b&gt;"' in svg


def test_a_lollipop_without_a_margin_has_no_head() -> None:
    scale = MarginScale(-3, 0, signed=False)
    assert "<g" not in lollipop(scale, None, "good")
    assert 'aria-label="no margin"' in lollipop(scale, None, "good")
    assert 'aria-label="margin nan"' in lollipop(scale, math.nan, "good")


def test_the_bars_of_a_lollipop_are_its_margins() -> None:
    margins = Margins(((-3, 5), (-2, 10), (0, 1)), at_limit=2)
    scale = MarginScale.of([1e-3, 10.0])
    assert scale is not None
    svg = ElementTree.fromstring(lollipop(scale, 2e-3, "good", margins))
    bars = [r.attrib for r in svg.findall("rect")]
    heights = [float(b["height"]) for b in bars]
    assert heights[1] == 2 * heights[0] == max(heights)
    assert heights[2] >= 1.5  # one instance is visible among any number of others
    for bar, k in zip(bars, (-3, -2, 0), strict=True):
        assert 200 * scale.place(10.0**k) <= float(bar["x"]) < 200 * scale.place(10.0 ** (k + 1))
    assert svg.findtext("desc") == (
        "2 at the limit; 5 from 10⁻³ to 10⁻²; 10 from 10⁻² to 10⁻¹; 1 from 1 to 10¹"
    )


def test_failures_have_bars_beyond_the_limit_in_their_own_colour() -> None:
    margins, beyond = Margins(((-2, 8),)), Margins(((-3, 4), (-1, 1)), at_limit=2)
    scale = MarginScale.of([1e-2, 1e-1, -1e-3, -1e-2, -1.0])
    assert scale is not None
    svg = ElementTree.fromstring(lollipop(scale, -0.5, "bad", margins, beyond))
    groups = [g for g in svg.findall("g") if g.find("rect") is not None]
    assert [g.attrib["class"] for g in groups] == ["bad"]
    bars = [r.attrib for r in groups[0].findall("rect")]
    assert [b["class"] for b in bars] == ["bar beyond"] * 2
    (own,) = (r.attrib for r in svg.findall("rect"))
    assert float(own["x"]) > 200 * LIMIT
    assert all(float(b["x"]) + float(b["width"]) < 200 * LIMIT for b in bars)
    assert float(bars[0]["x"]) > float(bars[1]["x"])  # what is further beyond is further left
    assert float(own["height"]) == 2 * float(bars[0]["height"])
    assert svg.findtext("desc") == (
        "8 from 10⁻² to 10⁻¹; 2 failing at the limit; 4 failing by 10⁻³ to 10⁻²; "
        "1 failing by 10⁻¹ to 1"
    )
