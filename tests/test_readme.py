"""Files and commands that the pages name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.cli.main import group

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in re.findall(r"`((?:bridge|numeric|lean|tests|docs)/[\w/.]*)`", text):
        assert (ROOT / name).exists(), f"{page} names {name}, which is not there"


def test_commands_that_the_readme_names_are_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`obligations ([\w-]+)", text))
    assert named == set(group.commands), named ^ set(group.commands)


@pytest.mark.parametrize("page", PAGES)
def test_pages_hold_no_placeholder(page: str) -> None:
    assert not re.search(r"@[A-Z]{3,}@|TODO|FIXME", (ROOT / page).read_text(encoding="utf-8"))
