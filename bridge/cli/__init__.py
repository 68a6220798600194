"""The command line: `obligations`."""

from bridge.cli.main import main

__all__ = ["main"]
