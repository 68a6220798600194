"""The folders and files of the embedded engine.

<cache>/                         LEAN_OBLIGATIONS_CACHE, or the user's cache folder
  engine/
    lock                         held while something is installed or removed
    download/<package>.tgz       a package whose integrity was checked, until it is installed
    staging-*/                   an installation in progress; a left-over is removed by the next one
    <engine id>/                 the engine; appears by one rename, when it is complete
      lean.js lean.wasm invoke.wasm symbols.bin
      library/                   Lean's own compiled modules
      manifest.json              size and time of every file, to notice damage cheaply
    <engine id>.used             its time says when that engine was last used
  build/                         compiled modules of projects; see store.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bridge.storage.location import CACHE_VARIABLE, cache_folder
from embedded_lean import pins

__all__ = ["CACHE_VARIABLE", "Layout", "default_layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below one cache folder."""

    cache: Path

    @property
    def engines(self) -> Path:
        """Folder of the engine and of everything needed to install it."""
        return self.cache / "engine"

    @property
    def home(self) -> Path:
        """The installed engine of this release."""
        return self.engines / pins.engine_id()

    @property
    def last_use(self) -> Path:
        """Its time says when the engine of this release was last used."""
        return self.engines / f"{pins.engine_id()}.used"

    @property
    def library(self) -> Path:
        """Lean's own compiled modules."""
        return self.home / "library"

    @property
    def manifest(self) -> Path:
        """Sizes and times of the installed files."""
        return self.home / "manifest.json"

    @property
    def lock(self) -> Path:
        """Lock of the installation."""
        return self.engines / "lock"

    @property
    def download(self) -> Path:
        """The fetched package; it exists only if its integrity was checked."""
        return self.engines / "download" / f"{pins.PACKAGE}-{pins.PACKAGE_VERSION}.tgz"

    @property
    def build(self) -> Path:
        """Compiled modules of projects."""
        return self.cache / "build"


def default_layout() -> Layout:
    """The layout below `LEAN_OBLIGATIONS_CACHE`, or else below the user's cache folder."""
    return Layout(cache_folder())
