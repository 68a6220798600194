"""The page of all theorems matches the lock."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from msgspec.structs import replace

from bridge.lean.statement import Binder, Conclusion, Discharge, Statement

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "site" / "theorems.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("theorems_page", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_was_locked(script: ModuleType) -> None:
    made = script.theorems_page(script.kept_theorems())
    if os.environ.get("UPDATE_DOCS"):
        script.PAGE.write_text(made, encoding="utf-8")
    page = script.PAGE.read_text(encoding="utf-8")
    assert page == made, "python docs/site/theorems.py writes the page anew"


def test_every_theorem_has_its_sentence_and_its_statement(script: ModuleType) -> None:
    page = script.PAGE.read_text(encoding="utf-8")
    theorems = script.kept_theorems()
    assert len(re.findall(r"^### `", page, flags=re.M)) == len(theorems) >= 62
    assert f"There are {len(theorems)} theorems." in page
    for theorem in theorems:
        short = theorem.name.removeprefix("PostNorm.")
        assert f"### `{short}`\n\n{' '.join(theorem.doc.split())}\n\n```lean\n" in page
        for line in theorem.conclusion.type.splitlines():
            assert f"\n    {line}\n" in page, theorem.name
        section = page.split(f"### `{short}`\n", 1)[1].split("\n### ", 1)[0]
        for binder in theorem.hypotheses:
            whole = binder.name.partition(".")[0]  # a law of what a binder bundles is part of it
            bound = rf"^    [({{]([^\s:]+ )*{re.escape(whole)} ([^\s:]+ )*: "
            assert re.search(bound, section, flags=re.M), binder.name


DEMO = Statement(
    name="Root.demo",
    module="Root.Demo",
    line=3,
    docstring="One sentence,\non two lines.",
    is_theorem=True,
    binders=(
        Binder("n", "Nat", "implicit", False, "", ()),
        Binder("m", "Nat", "implicit", False, "", ()),
        Binder(None, "Inhabited (Fin n)", "instImplicit", False, "", ()),
        Binder("hN", "0 < n", "default", True, "", ()),
        Binder("hM", "∀ k,\n  k < m", "default", True, "", ()),
        Binder("k", "Fin n", "default", False, "", ()),
    ),
    conclusion=Conclusion("n = m ∧\n  m = n", ""),
    uses=(),
    axioms=(),
    discharges=(Discharge("hN", "Root.n_pos", ("1 < n", "m = 2")),),
)
SHOWN = """\
### `demo`

One sentence, on two lines.

```lean
theorem demo
    {n m : Nat} [Inhabited (Fin n)]
    (hN : 0 < n)
    (hM : ∀ k,
      k < m)
    (k : Fin n) :
    n = m ∧
      m = n
```

`hN` follows from `1 < n`, `m = 2`, by `n_pos`.
"""


def test_a_statement_is_written_as_lean_would(script: ModuleType) -> None:
    other = replace(DEMO, name="Root.other", module="Root.Other", discharges=())
    page = script.theorems_page([DEMO, other])
    assert "There are 2 theorems." in page
    assert f"## `lean/Root/Demo.lean`\n\n{SHOWN}" in page
    assert "## `lean/Root/Other.lean`\n\n### `other`" in page


def test_a_changed_statement_changes_the_page(script: ModuleType) -> None:
    first, *rest = script.kept_theorems()
    changed = replace(first, conclusion=Conclusion("True", ""))
    assert script.theorems_page([changed, *rest]) != script.theorems_page([first, *rest])
