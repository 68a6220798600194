"""An operation is one record: a file outside the library declares one.

Every theorem, the export and the runs support it; a record with a wrong or missing fact is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.errors import LeanSourceError
from bridge.lean.library import Library
from bridge.lean.questions import ask_engine

pytestmark = [pytest.mark.lean, pytest.mark.slow]

SOURCE = (Path(__file__).parent / "Division.lean").read_text(encoding="utf-8")

WRONG = {
    "the sign of a cotangent": ("d c * (a.get .here c * -((a", "d c * (a.get .here c * ((a"),
    "a tangent that forgets an argument": ("da.get .here c * (a.get", "0 * (a.get"),
    "a derivative everywhere": ("  domain _ a := ∀ c, a.get (.there .here) c ≠ 0\n", ""),
    "no value": ("  eval _ a := fun c => a.get .here c * (a.get (.there .here) c)⁻¹\n", ""),
    "no derivative": (
        SOURCE[
            SOURCE.index("  derivative") : SOURCE.index(
                "\n/-- Entry by entry", SOURCE.index("  derivative")
            )
        ],
        "",
    ),
}


@dataclass(frozen=True)
class Document:
    """A Lean file that answers in the section ``division``."""

    text: str
    sections: tuple[str, ...] = ("division",)

    def document(self, nonce: str) -> str:
        return self.text.replace("NONCE", nonce)


def answer(library: Library, text: str) -> dict[str, object]:
    said = ask_engine(library.project.root, library.engine, Document(text))["division"][0]
    assert isinstance(said, dict)
    return said


def test_the_theorems_the_export_and_the_runs_take_an_operation_of_ones_own(
    library: Library,
) -> None:
    said = answer(library, SOURCE)
    graph = said["graph"]
    assert isinstance(graph, dict)
    nodes = [(n["op"], n["args"], n["params"]) for n in graph["nodes"]]
    assert nodes == [
        ("scale", [0], {"c": 0.5, "symbol": "k"}),
        ("div", [2, 1], {}),
        ("mul", [3, 3], {}),
    ]
    assert said["ran"] == [0.140625, 0.09375, -0.0703125]


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_or_missing_fact_is_refused(library: Library, what: str) -> None:
    right, wrong = WRONG[what]
    assert SOURCE.count(right) == 1
    with pytest.raises(LeanSourceError):
        answer(library, SOURCE.replace(right, wrong))
