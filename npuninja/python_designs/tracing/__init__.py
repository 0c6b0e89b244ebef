"""Traces of events: their names and numbers, and the two ways in which a design has them recorded.

In autumn 2025 a design writes the trace units' registers (`registers.py`; for the shim `shim_transfers.py`);
later it prints `aie.trace` operations and the lowering does the rest (`operations.py`). `program.py` is what
`enable_trace` of the high level does with either.
"""
