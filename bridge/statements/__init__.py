"""Obligations judged by what their statements say, where no one has written a check for them.

`choose` decides which way judges which theorem; each way is a module of its own.
"""
