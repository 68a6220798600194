"""Every command of the tutorial and of the README, run on a copy of this library with the real
engine.

``UPDATE_DOCS=1`` updates their output in the page.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bridge.policy.lock import LOCK_NAME
from tests.lean.transcript import replayed, same, shortened, steps

ROOT = Path(__file__).parents[2]
TUTORIAL, README = ROOT / "docs" / "tutorial.md", ROOT / "README.md"
API = ROOT / "docs" / "reference" / "api.md"
OWN = ROOT / "docs" / "how-to" / "audit-your-own.md"


@pytest.mark.lean
@pytest.mark.parametrize(
    ("page", "commands"),
    [
        pytest.param(TUTORIAL, 15, id="tutorial", marks=pytest.mark.slow),
        pytest.param(README, 2, id="README"),
        pytest.param(API, 1, id="api"),
    ],
)
def test_pages_tell_what_happens(page: Path, commands: int, tmp_path: Path) -> None:
    for name in ("lakefile.lean", "lean-toolchain", "waivers.toml", "obligations.toml", LOCK_NAME):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "lean", tmp_path / "lean")
    text = page.read_text(encoding="utf-8")
    _compared(page, text, commands, tmp_path)


@pytest.mark.lean
@pytest.mark.slow
def test_a_project_from_nothing(tmp_path: Path) -> None:
    _compared(OWN, OWN.read_text(encoding="utf-8"), 6, tmp_path)


def _compared(page: Path, text: str, commands: int, folder: Path) -> None:
    found = replayed(text, folder)
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(found.text, encoding="utf-8")
    elif found.differences:
        told = "\n\n".join(found.differences)
        pytest.fail(f"{told}\n\nUPDATE_DOCS=1 writes the page anew", pytrace=False)
    assert found.text.count("\n$ ") == text.count("\n$ ") >= commands


def test_only_what_may_differ_is_let_through() -> None:
    assert same("holds  1.0e-06\nx.lean:3", "holds 2.5e-07\nx.lean:77")
    assert same("in family 'a b',\n instance 3 (c)", "in family 'd', instance 41 (c)")
    assert same("x --seed 0 \\\n  --family 'a b' --index 3", "x --seed 0 --family d --index 41")
    assert not same("x --seed 0 --family d --index 3", "x --seed 1 --family d --index 3")
    assert not same("holds on 176 of 200", "holds on 175 of 200")
    assert not same("exit code 0", "exit code 1")
    assert same("a\n…\nz", "a\nb\nc\nz")
    assert not same("a\n…\nz", "a\nb\nc\ny")
    assert same("a\n…\nk\nl\n…\nz", "a\nb\nk\nl\nz")
    assert not same("a\n…\nk\nl\n…\nz", "a\nb\nl\nk\nz")
    assert not same("", "something")


def test_a_wrong_page_is_noticed_and_written_anew(tmp_path: Path) -> None:
    page = "Text.\n\n```console\n$ echo one; exit 3\ntwo\n$ echo $?\n3\n```\n"
    found = replayed(page, tmp_path)
    assert len(found.differences) == 1
    assert found.text == page.replace("two", "one")
    shown = '```python title="x.py"\nprint(7)\n```\n\n```console\n$ python x.py\n7\n```\n'
    assert not replayed(shown, tmp_path).differences


def test_lines_stay_left_out() -> None:
    assert shortened("1\n2\n3\n4\n5", "a\n…\nz") == "1\n…\n5"
    assert shortened("1\n2\n3", "a\n…") == "1\n…"
    assert shortened("1\n2\nb\nc\nd\n9", "a\n…\nb\nx\n…\nz") == "1\n…\nb\nc\n…\n9"
    assert shortened("1\nb  2\nc\n9", "a\n…\nb 1\n…\nz") == "1\n…\nb  2\n…\n9"
    with pytest.raises(ValueError, match="nothing printed begins like 'k'"):
        shortened("1\n2\n9", "a\n…\nk\n…\nz")
    assert shortened("1\n\n2\n3", "a\n\n…\n\nz") == "1\n\n…\n\n3"
    assert [s.command for s in steps("$ a\nb\n$ c\n")] == ["a", "c"]
