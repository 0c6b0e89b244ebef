"""Building operations of `npuninja.ir` from Python: what MLIR's own bindings offer to a design."""
