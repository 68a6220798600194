"""Obligations judged by their statements, if no check is written for them.

`choose` decides which way judges which theorem; each way has its own module.
"""
