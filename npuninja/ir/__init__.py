"""MLIR text of the AIE dialects: parser, printer, verifier."""
