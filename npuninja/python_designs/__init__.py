"""Designs written in Python for MLIR-AIE's bindings, run without them.

`site/` is what a design's process finds as `aie`: it is on `sys.path` there and nowhere else, and holds names
only. What the names do lies beside it and builds on `npuninja.ir`:

| folder | what it holds |
|---|---|
| `construct/` | building operations: types, attributes, insertion point, values with Python's operators |
| `dialects/` | the placed level: `aie`, `aiex`, `scf`, `func`, `memref`, `arith`, … |
| `taplib/` | access patterns of tensors |
| `iron/` | the high level: objectFifos, workers, runtime, program, placer, kernels, algorithms |
| `tracing/` | events and the set-up of traces |
| `host/` | tensors, kernels on a device, command lines: what designs under `@iron.jit` use |

The door for others is `script.py`: `run_design` runs a script in a process of its own and gives its MLIR.
"""
