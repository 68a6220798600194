"""Imports the modules and files that register a project's own checks."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from bridge.errors import InvalidInputError
from bridge.storage import opened

__all__ = ["load_checks", "name_of_file"]

ENTRY_POINTS = "lean_obligations.checks"


def load_checks(project: Path, modules: Sequence[str]) -> None:
    """Import the modules that register a project's own checks.

    Args:
        project: the project's folder.
        modules: names of importable modules, or Python files relative to ``project``; the
            ``checks`` setting.  Distributions can name theirs as entry points.

    Raises:
        InvalidInputError: a module does not exist, or raises an error during import.
    """
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        _load(point.name, point.load)
    for name in modules:
        if name.endswith(".py"):
            _load(name, lambda name=name: _load_file(project / name))
        else:
            _load(name, lambda name=name: importlib.import_module(name))


def _load(name: str, load: object) -> None:
    assert callable(load)
    try:
        with opened.recording():
            load()
    except InvalidInputError:
        raise
    except Exception as e:
        raise InvalidInputError(
            f"the checks in {name!r} cannot be loaded: {type(e).__name__}: {e}",
            remedy="correct the module, or the `checks` setting",
        ) from e


def name_of_file(path: Path) -> str:
    """The name that a file of checks is imported under."""
    return f"obligations_checks_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}"


def _load_file(path: Path) -> None:
    name = name_of_file(path)
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise InvalidInputError(
            f"there is no file {path}", remedy="correct the `checks` setting of the project"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
