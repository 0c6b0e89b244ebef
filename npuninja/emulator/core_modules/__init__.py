"""Core modules as they are run: admitted, rewritten, and their traps led back to lines of C.

A module in an XCLBIN was written by somebody else. `admission` says what it may hold. `rewrite` gives its kernels a
copy of the data windows of their own, in which the locks and the core's saved state are out of reach, makes plain loops
of its bulk memory operations, and, when a run is checked, has every access tell the engine. `places` turns an offset
in the rewritten module into the file, line and callers of the original. `encoding` are the bytes of instructions.
"""
