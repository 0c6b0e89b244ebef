"""Blocks of machine code as WebAssembly functions, by layers; the door is `npuninja.machine_code.translate`.

- `in_flight`: what is on its way, in the words that both sides of a block's border share.
- `values`: registers as local variables, results on their way to them.
- `memory`: addresses, loads, stores.
- `arithmetic`: what touches no memory.
- `block`: a whole block: bundles in order, branches, loops, locks, what comes after it.
"""
