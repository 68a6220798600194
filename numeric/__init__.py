"""The numeric side: runs the graphs that Lean exports and measures the claims about them.

Nothing here knows of Lean or of `bridge`.  From the bottom up: `ops` (one entry per operation),
`graph` (validated data), `interpreter`, `families` (instances), `derivative`, `tolerance`,
`measurement`, `identities`, and closed forms such as `layer_norm` next to them.
"""
