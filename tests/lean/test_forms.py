"""A new theorem about an exported graph gets its checks from one Lean file, without Python."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bridge.auditing.audit import audit
from bridge.checks.forms import Form, Says
from bridge.checks.pairing import forms_of, wanted_graphs
from bridge.engine import Engine
from bridge.lean.library import Library, build, read_library
from bridge.lean.project import find_project
from bridge.verdict import Verdict
from tests.lean.conftest import ROOT, Once

pytestmark = [pytest.mark.lean, pytest.mark.slow]

SOURCE = """import PostNorm.Layers.LayerNorm

namespace PostNorm
open RealField
variable {R : Type} [RealField R] {many wide : Nat}

/-- Said once more, with other names. -/
@[obligation] theorem mine (small : R) (there : Env R (ΓLayerNorm many wide))
    (positive : 0 < small) :
    HasFDerivAt (fun here => (layerNormGraph small).eval here) ((layerNormGraph small).deriv there)
      there :=
  layerNorm_hasFDerivAt_of_pos small there positive

/-- The derivative of another graph. -/
@[obligation] theorem another (one two : R) (there : Env R (ΓLayerNorm many wide))
    (positive : 0 < one) :
    HasFDerivAt (fun here => (layerNormGraph one).eval here) ((layerNormGraph two).deriv there)
      there := by
  sorry

/-- Without what it needs. -/
@[obligation] theorem bare (small : R) (there : Env R (ΓLayerNorm many wide)) :
    HasFDerivAt (fun here => (layerNormGraph small).eval here) ((layerNormGraph small).deriv there)
      there := by
  sorry

/-- A condition that is met where LayerNorm is not differentiable. -/
@[obligation] theorem negative (small : R) (there : Env R (ΓLayerNorm many wide))
    (below : small < 0) :
    HasFDerivAt (fun here => (layerNormGraph small).eval here) ((layerNormGraph small).deriv there)
      there := by
  sorry

end PostNorm
"""


@pytest.fixture(scope="module")
def extended(lean: Engine, tmp_path_factory: pytest.TempPathFactory, once: Once) -> Library:
    root: Path = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "lean", root / "lean")
    for name in ("lakefile.lean", "lean-toolchain"):
        shutil.copy(ROOT / name, root)
    (root / "lean" / "PostNorm" / "Mine.lean").write_text(SOURCE, encoding="utf-8")
    whole = root / "lean" / "PostNorm.lean"
    text = "import PostNorm.Mine\n" + whole.read_text(encoding="utf-8")
    whole.write_text(text, encoding="utf-8")
    wanted = [r for r in wanted_graphs() if r.name == "layerNormGraph"]
    project = find_project(root)
    with once("extended"):
        build(project, lean)
        return read_library(project, lean, wanted)


def test_a_new_theorem_needs_no_python(extended: Library) -> None:
    forms = forms_of(extended)
    assert forms["mine:conclusion"] == Form(Says.DERIVATIVE, "layerNormGraph")
    assert forms["mine:positive"] == Form(Says.EPS, "layerNormGraph", "eps")
    report = audit(extended, only=["mine"], instances=60)
    assert {e.obligation.key: e.verdict for e in report.entries} == {
        "mine:positive": Verdict.HOLDS,
        "mine:conclusion": Verdict.HOLDS,
    }


def test_a_wrong_statement_does_not_hold(extended: Library) -> None:
    found = {
        e.obligation.key: e for e in audit(extended, only=["another", "bare", "negative"]).entries
    }
    assert found["another:conclusion"].verdict is Verdict.UNPAIRED
    assert found["negative:below"].verdict is Verdict.UNPAIRED
    assert found["bare:conclusion"].verdict is Verdict.INCONCLUSIVE
    assert "no hypothesis keeps out" in found["bare:conclusion"].reason
