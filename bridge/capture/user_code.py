"""Errors of the user's own code: reported with their line, never as errors of the project.

The traceback goes to the logger ``obligations.user_code`` at the level DEBUG: `-v` shows it.
"""

from __future__ import annotations

import logging
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.errors import InvalidInputError, ObligationsError

__all__ = ["LOGGER", "RAISED", "blamed", "said"]

LOGGER = logging.getLogger("obligations.user_code")
RAISED = (Exception, SystemExit)
"""The exceptions caught around a user's code: ``sys.exit()`` in it must not end an audit with exit
code 0."""
_OURS = Path(__file__).parents[2]
_PACKAGES = ("bridge", "numeric", "embedded_lean")
_LIBRARIES = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))


def said(error: BaseException, most: int = 300) -> str:
    """An error as its type, the first line of its text, and the last line of the user's code in its
    traceback, which is logged.

    Args:
        error: the exception that was caught.
        most: how many characters of its text.
    """
    LOGGER.debug("%s", "".join(traceback.format_exception(error)))
    line = (str(error).strip().splitlines() or [""])[0]
    text = f"{type(error).__name__}: {line:.{most}}" if line else type(error).__name__
    where = _place(error)
    return f"{text} ({where})" if where else text


@contextmanager
def blamed(where: str) -> Iterator[None]:
    """Inside, an uncaught error of the user's code is wrong input, not an error of the project: an
    error counts as the user's if a line of their code is in the traceback.

    Args:
        where: the model, for messages.

    Raises:
        InvalidInputError: their code raised an error.
    """
    try:
        yield
    except RAISED as e:
        if isinstance(e, ObligationsError) or not _place(e):
            raise
        raise InvalidInputError(
            f"--model {where}: its own code raised {said(e)}",
            remedy="-v shows its traceback; the audit calls the code as its parent does",
        ) from e


def _place(error: BaseException) -> str:
    """The last line of the user's own code; empty if only libraries took part."""
    own = [f for f in traceback.extract_tb(error.__traceback__) if f.lineno and _is_own(f.filename)]
    return f"at {Path(own[-1].filename).name}:{own[-1].lineno} in {own[-1].name}" if own else ""


def _is_own(name: str) -> bool:
    if name.startswith("<"):  # frozen, or compiled from text
        return False
    path = Path(name)
    if any(path.is_relative_to(_OURS / p) for p in _PACKAGES) or "site-packages" in path.parts:
        return False
    return not any(path.is_relative_to(folder) for folder in _LIBRARIES)
