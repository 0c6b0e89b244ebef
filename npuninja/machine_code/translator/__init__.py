"""Blocks of machine code as functions of WebAssembly, layer by layer; `npuninja.machine_code.translate` is the door.

- `in_flight`: what is on its way, in the words that both sides of a block's border share.
- `values`: registers as local variables, results on their way to them.
- `memory`: addresses, loads, stores.
- `arithmetic`: what touches no memory.
- `block`: a whole block: bundles in order, branches, loops, locks, what comes behind it.
"""
