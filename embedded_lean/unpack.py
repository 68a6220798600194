"""Reads the published archives without trusting them.

Nothing is ever extracted by name: the caller gets plain names and bytes, one member after the
other, and anything other than a plain file below the archive's root raises.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from bridge.engine.errors import UnpackError

__all__ = ["regular_members"]

_REMEDY = "Do not use this package; report it. The official toolchain works too: --engine lake."


def regular_members(archive: IO[bytes], what: str) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """Each file of a gzipped tar archive as (relative path, open file), in the archive's order.

    The open file must be read before the next one is requested.  Folders are skipped, and so are
    the `._name` companions that macOS adds.

    Raises:
        UnpackError: a path is absolute or climbs up, a member is a link or a device, or the
            archive is truncated.  `what` names the archive in the message.
    """
    try:
        with tarfile.open(fileobj=archive, mode="r|gz") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if (
                    path.is_absolute()
                    or ".." in path.parts
                    or "\\" in member.name
                    or "\0" in member.name
                ):
                    raise UnpackError(f"{what}: a member is called {member.name!r}", remedy=_REMEDY)
                if member.isdir() or path.name.startswith("._"):
                    continue
                if not member.isreg():
                    raise UnpackError(
                        f"{what}: {member.name!r} is neither a file nor a folder", remedy=_REMEDY
                    )
                content = tar.extractfile(member)
                assert content is not None, "a regular member has content"
                yield path, content
    except (tarfile.TarError, EOFError) as error:
        raise UnpackError(f"{what}: the archive is damaged: {error}", remedy=_REMEDY) from error
