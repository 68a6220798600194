"""The library's checks without asking Lean: by key, and by the recorded forms of Lean's terms.

``forms.json`` is the result of `bridge.checks.pairing.forms_of` for the library; a test that asks
Lean compares the two, and rewrites the file if ``UPDATE_FORMS`` is set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bridge.checking import Check, registered
from bridge.checks.by_form import checks_of
from bridge.checks.forms import Form, Says

FILE = Path(__file__).parent / "forms.json"


def forms() -> dict[str, Form]:
    told = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        key: Form(Says(says), graph, symbol, tensor)
        for key, (says, graph, symbol, tensor) in told.items()
    }


def written(found: Mapping[str, Form]) -> str:
    """The text of the file: one obligation per line."""
    lines = (
        f"  {json.dumps(k)}: {json.dumps([f.says, f.graph, f.symbol, f.tensor])}"
        for k, f in sorted(found.items())
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def pairs() -> dict[str, Check]:
    """Every check by the key of its obligation."""
    return {**checks_of(forms()), **registered()}
