"""Core modules as they are run: admitted, rewritten, and their traps led back to lines of C.

A module in an XCLBIN was written by somebody else. `admission` says what it may hold. `rewrite` gives its
kernels a copy of the data windows of their own, in which the locks and the core's saved state are out of
reach, makes plain loops of its bulk memory operations, and in a checked run has every access reported to the
engine. `places` turns an offset in the rewritten module into the file, line and callers of the original.
`suspension` makes code that waits for a stream, a cascade or a lock in its middle such that it can be left
and gone on with (`suspendable_body`, `saved_variables`, `operand_stack`); `waiting` is what it waits for.
`encoding` are the bytes of instructions, `operand_types` what they take and leave.
"""
