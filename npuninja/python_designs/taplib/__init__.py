"""Access patterns of tensors: which elements a transfer visits, in which order. NumPy only; no MLIR."""
