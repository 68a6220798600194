"""The embedded engine: Lean compiled to WebAssembly, fetched from npm, patched, run in Node.js."""
