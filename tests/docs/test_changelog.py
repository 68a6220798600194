"""The changelog is built from fragments."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRAGMENTS = ROOT / "changelog.d"
OTHERS = {"README.md", "template.md.jinja"}
SETTINGS = tomllib.loads((ROOT / "towncrier.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
KINDS = [kind["directory"] for kind in SETTINGS["type"]]


def problem(name: str, text: str) -> str:
    """The problem with a fragment; empty if there is none."""
    if not re.fullmatch(rf"[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(KINDS)})\.md", name):
        return f"changelog.d/{name}: a fragment is called WHAT.KIND.md; KIND is one of {KINDS}"
    if not text.strip() or not text.strip().endswith((".", "!")):
        return f"changelog.d/{name}: write one or two sentences for users"
    return ""


def test_fragments_have_valid_names_and_say_something() -> None:
    for path in FRAGMENTS.iterdir():
        if path.name not in OTHERS:
            assert not problem(path.name, path.read_text(encoding="utf-8"))


def test_the_validation_rejects_errors() -> None:
    assert problem("123.feature.md", "A sentence.")
    assert problem("Speed.added.md", "A sentence.")
    assert problem("speed.added.txt", "A sentence.")
    assert problem("speed.added.md", " \n")
    assert not problem("twice-the-speed.changed.md", "A sentence.")


def test_the_next_version_can_be_drafted() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("## 9.9.9")
    words = " ".join(done.stdout.split())
    for path in FRAGMENTS.glob("*.*.md"):
        assert " ".join(path.read_text(encoding="utf-8").split()) in words, path.name


def test_a_release_goes_into_the_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.count("<!-- towncrier release notes start -->\n") == 1
