"""What an edge of the build runs: one module a stage, each with `run(arguments) -> list[str] | None`.

A stage is started as `PYTHON -S -E npuninja/stages STAGE ARGUMENT…`, once for each edge, so its modules
import as little as possible. It reads files, calls one function of `npuninja.lowering` or `npuninja.formats`
(or a real tool), checks what that made, and puts the outputs in place; `_run` is the frame that all of them
use. `run` returns the files it read beyond those that its arguments name (headers), for the depfile, or None.
"""
