"""Obligations judged by what their statements say, where nobody has written a check for them.

`choose` decides which way judges which theorem; each way is a module of its own.
"""
