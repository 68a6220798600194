"""Language servers that misbehave, and what an audit reports for each.

``tests/bridge/scripted_server.py`` plays them; ``docs/tricks.md`` shows this table.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True)
class Fault:
    """A server's mode, what it does, and what the audit says; ``code`` is its exit code."""

    mode: str
    what: str
    said: str
    code: int = 3


FAULTS = (
    Fault("dies-at-start", "it ends at once", "out of luck"),
    Fault("hangs-at-initialize", "it starts and never greets", "did not answer within 1 s"),
    Fault("dies-at-open", "it ends when it receives the document", "went away"),
    Fault("garbage", "it sends bytes that are not a message", "went away"),
    Fault("truncated", "it ends in the middle of a message", "went away"),
    Fault("worker-crash", "its worker for the document dies", "worker died"),
    Fault("hangs", "it accepts the document and never finishes", "did not answer within 1 s"),
    Fault("fatal", "it stops with lines still to do", "without saying why"),
    Fault("silent", "it finishes and says nothing", "without an answer"),
    Fault("wrong-nonce", "it answers another request", "without an answer"),
    Fault("wrong-version", "it answers for an older version of the document", "without an answer"),
    Fault("not-json", "its answer breaks off", "not JSON"),
    Fault("no-end", "its answer lacks the end", "has no end"),
    Fault("lost-message", "one message of its answer is lost", "is partial"),
    Fault("twice", "it sends one message twice", "twice"),
    Fault("lean-error", "it reports an error in the document", "unknown module prefix"),
    Fault("impostor", "the audited code prints what looks like an answer", "exit code 0", 0),
    Fault("flood", "it sends 20,000 other messages first", "exit code 0", 0),
)
