"""What each layer computes, written without the graph: what exported graphs are held against.

A file for each layer; `catalogue` has the closed form of every graph by the graph's name.
"""
