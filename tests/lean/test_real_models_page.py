"""Every command of the page on real models, run on a copy of this library with the real engine.

``UPDATE_DOCS=1`` updates their output in the page.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.lean.transcript import replayed

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "real-models.md"
TORCH = "## A torch module"


def _run(part: str, folder: Path) -> None:
    for name in ("lakefile.lean", "lean-toolchain", "obligations.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "lean", folder / "lean")
    found = replayed(part, folder)
    if os.environ.get("UPDATE_DOCS"):
        text = PAGE.read_text(encoding="utf-8")
        assert text.count(part) == 1
        PAGE.write_text(text.replace(part, found.text), encoding="utf-8")
        return
    told = "\n\n".join(found.differences)
    assert not found.differences, f"{told}\n\nUPDATE_DOCS=1 writes the page anew"


def _parts() -> tuple[str, str]:
    before, title, after = PAGE.read_text(encoding="utf-8").partition(TORCH)
    return before, title + after


@pytest.mark.lean
@pytest.mark.slow
def test_files(tmp_path: Path) -> None:
    before, _ = _parts()
    assert before.count("$ ") >= 8
    _run(before, tmp_path)


@pytest.mark.lean
@pytest.mark.slow
def test_torch_modules(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: `pip install torch`")
    _, after = _parts()
    assert after.count("$ ") >= 1
    _run(after, tmp_path)
