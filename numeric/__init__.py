"""The numeric side: runs the graphs that Lean exports and measures what is claimed of them.

Nothing here knows of Lean or of `bridge`.  From the bottom up: `ops` (one entry per operation),
`graph` (checked data), `interpreter`, `families` (instances), `derivative`, `tolerance`,
`measurement`, `identities`, and closed forms such as `layer_norm` next to them.
"""
