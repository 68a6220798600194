"""The command line: `obligations`."""

from bridge.cli.entry import main

__all__ = ["main"]
