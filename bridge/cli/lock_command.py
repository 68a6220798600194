"""`obligations lock`: accepts the present statements."""

from __future__ import annotations

from pathlib import Path

import click
from msgspec.structs import replace
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bridge.auditing.selection import unknown_name
from bridge.cli.completion import complete_keys
from bridge.cli.options import LeanChoice, lean_options
from bridge.cli.progress_bar import Watch
from bridge.errors import InvalidInputError
from bridge.lean.client import printable
from bridge.lean.locked_answer import KeptAnswer, digest_of, pack
from bridge.policy.answer_file import write_kept
from bridge.policy.decisions import current_lock, stale_reason
from bridge.policy.lock import LOCK_NAME, Drift, Lock, accept, drifts, read_lock, write_lock

__all__ = ["lock_command"]

INCOMPLETE = 4


@click.command("lock")
@lean_options
@click.option("--check", is_flag=True, help="Only print what changed; exit code 4 if anything did.")
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    metavar="KEY",
    shell_complete=complete_keys,
    help="Accept what changed. Repeatable.",
)
@click.option("--reason", metavar="TEXT", help="Why it is accepted; needed with --accept.")
@click.pass_context
def lock_command(
    ctx: click.Context,
    lean: LeanChoice,
    check: bool,
    accepted: tuple[str, ...],
    reason: str | None,
) -> None:
    """Write or compare statements.lock.json, the fingerprints of what was audited.

    Without options: add new obligations, remove missing ones, and refuse changed ones: `audit`
    calls these stale until they are accepted.

    \b
    obligations lock
    obligations lock --check
    obligations lock --accept 'layerNorm_eval:conclusion' --reason 'eps moved into the root'
    """
    if accepted and not (reason or "").strip():
        raise InvalidInputError(
            f"--accept {accepted[0]}: no reason is given", remedy="add --reason TEXT"
        )
    if check and accepted:
        raise InvalidInputError(
            "--check only looks, and --accept writes", remedy="leave one of them out"
        )
    with Watch() as watch:
        setup = lean.set_up(watch)
        if isinstance(setup.engine, KeptAnswer):
            raise InvalidInputError(
                "--engine lock: a lock cannot be compared with itself", remedy="choose a Lean"
            )
        library = setup.library(watch)
    console = Console(highlight=False)
    path = setup.project.root / LOCK_NAME
    sources = setup.project.fingerprint()
    answer = pack(setup.engine, sources, library.requested, library.answer, library.files)
    old, new = read_lock(path), replace(current_lock(library), answer=digest_of(answer))
    if old is None:
        if check or accepted:
            raise InvalidInputError(
                f"there is no {LOCK_NAME}", remedy="write it: `obligations lock`"
            )
        _write(path, new, answer)
        console.print(f"{LOCK_NAME}: {len(new.obligations)} obligations")
        return
    found = drifts(old, new)
    for drift in found:
        _show(console, drift)
    if check:
        console.print("nothing changed" if not found else f"{len(found)} obligations changed")
        ctx.exit(INCOMPLETE if found else 0)
    known = {d.key for d in found}
    for key in accepted:
        if key not in known:
            if key in new.obligations:
                raise InvalidInputError(
                    f"--accept {key}: it did not change",
                    remedy="`obligations lock --check` says what did",
                )
            raise unknown_name(key, library.obligations)
    quiet = [d.key for d in found if not d.makes_stale]
    lock = accept(accept(old, new, quiet, ""), new, accepted, (reason or "").strip())
    _write(path, lock, answer)
    left = [d for d in drifts(lock, new) if d.makes_stale]
    console.print(f"{LOCK_NAME}: {len(lock.obligations)} obligations")
    if left:
        console.print(
            f"{len(left)} changed and are stale; accept each with --accept KEY --reason TEXT"
        )
        ctx.exit(INCOMPLETE)


def _write(path: Path, lock: Lock, answer: str) -> None:
    """Write the answer first: a lock without its answer loses only ``--engine lock``."""
    write_kept(path.parent, answer)
    write_lock(path, lock)


def _show(console: Console, drift: Drift) -> None:
    console.print(Text.assemble((printable(drift.key), "bold"), f"  {drift.kind.value}"))
    if drift.old == drift.new:
        said = stale_reason(drift) if drift.makes_stale else f"{drift.new} has other source code"
        console.print(Padding(Text(printable(said)), (0, 0, 0, 2)))
        return
    for sign, text in (("-", drift.old), ("+", drift.new)):
        if text:
            console.print(Padding(Text(f"{sign} {printable(text)}"), (0, 0, 0, 2)))
