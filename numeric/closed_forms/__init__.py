"""Closed forms: each layer's function, written without the graph, to compare exported graphs with.

A file for each layer; `catalogue` has the closed form of every graph by the graph's name.
"""
