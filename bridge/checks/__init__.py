"""Checks of the library's own theorems, a file for each layer, paired with their obligations.

To add one: write a function with `check` in the module of its layer; no registration is needed.
"""

from bridge.checking.registry import check

__all__ = ["check"]
