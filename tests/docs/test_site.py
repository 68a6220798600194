"""The documentation site is built, and a warning is an error."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.cli.main import group

ROOT = Path(__file__).parents[2]
ELSEWHERE = re.compile(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?//')


def build(folder: Path, *, config: Path = ROOT / "mkdocs.yml") -> subprocess.CompletedProcess[str]:
    # With --quiet warnings would be hidden, from --strict too.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    return subprocess.run(
        [*command, "--config-file", str(config), "--site-dir", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_every_page_is_built(site: Path) -> None:
    sources = [p.relative_to(ROOT / "docs") for p in (ROOT / "docs").rglob("*.md")]
    assert len(sources) >= 5
    for source in sources:
        assert (site / source).with_suffix(".html").is_file(), source


def test_no_page_needs_the_network(site: Path) -> None:
    for page in pages(site):
        found = ELSEWHERE.search(page.read_text(encoding="utf-8"))
        assert found is None, f"{page.name}: {found[0] if found else ''}"
    assert ELSEWHERE.search('<script src="https://example.org/x.js">')


def test_every_command_is_in_the_reference(site: Path) -> None:
    text = (site / "reference" / "cli.html").read_text(encoding="utf-8")
    for name in group.commands:
        assert f'id="obligations-{name}"' in text, name


def test_nothing_is_left_of_the_sources_marks(site: Path) -> None:
    for page in pages(site):
        text = page.read_text(encoding="utf-8")
        for mark in ("--8&lt;--", "generated:", "\\(", "\\[", 'class="arithmatex"'):
            body = re.sub(r"(?s)<(script|code)\b.*?</\1>", "", text)
            assert mark not in body, f"{page.name} shows {mark}"


def test_a_broken_link_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Page\n\n[nowhere](nowhere.md)\n")
    settings = "site_name: x\nvalidation:\n  anchors: warn\n"
    (tmp_path / "mkdocs.yml").write_text(settings)
    done = build(tmp_path / "site", config=tmp_path / "mkdocs.yml")
    assert done.returncode == 1
    assert "nowhere.md" in done.stderr
