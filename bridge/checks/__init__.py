"""Checks of the library's own theorems, a file for each layer, paired with their obligations.

To add one: write a function with `check` in the module of its layer; it is found by itself.
"""

from bridge.checking.registry import check

__all__ = ["check"]
