"""Machine code of the NPU's cores: read it, print it, run it, count its cycles, write it.

This is the door; the rest of npuninja imports from here and from the modules named here only:

- `instruction_set`: the table of instructions and bundle formats (`tables/*.json`), as data.
- `decode`: bytes -> bundles -> instructions, one reading each.
- `program`: the programs that an ELF, an object, an archive, an XCLBIN or a PDI holds.
- `flow`: basic blocks, branch targets, delay slots, zero-overhead loops, functions.
- `listing`: what `npuninja disasm` prints, as text and JSON, and two programs side by side.

Only AIE2 (npu1) has a table so far. AIE2P is refused by name wherever a program says what it was made for.
"""
