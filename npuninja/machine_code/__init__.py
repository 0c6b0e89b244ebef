"""Machine code of the NPU's cores: read it, print it, write it, run it, count its cycles.

This is the door; the rest of npuninja imports from here and from the modules named here only.

What the machine is, as data:
    - `tables/`: instructions and bundle formats of AIE2 (layout: its README); `instruction_set` reads it.
    - `registers`: the registers, and where the runtime keeps them.

Reading and printing:
    - `decode`: bytes -> bundles -> instructions, one reading each.
    - `program`: the programs that an ELF, an object, an archive, an XCLBIN, a PDI or a wasm module holds.
    - `flow`, `reachable`: basic blocks, branch targets, delay slots, loops, functions, what can be reached.
    - `functions`: stack by the call graph, cycles of a call; `profile`: cycles by function, loop, line, call.
    - `source_lines`: C lines of an ELF; `known_programs`: which ELF beside an XCLBIN a program comes from.
    - `listing`, `wasm_listing`, `comparison`: what `npuninja disasm` prints, and two programs side by side.

Writing:
    - `encode`, `assembler`: the text that `disasm` prints -> bundles -> an object; `object_file`, `linker`
      (`linker_script`): -> a program.

Running:
    - `prepare`, `families/`: instructions for the runtime; what is not proved becomes a fault by name.
      `loading` keeps prepared programs in the cache.
    - `runtime/`: the machine in C, compiled to WebAssembly by the embedded compiler: interpreter (core.c),
      vectors (lanes.c, accumulate.c, floats.c), helpers of translated code (translated.c). `core_runtime`
      holds it.
    - `translate`, `translator/`, `wasm_writer`, `translation`: programs -> WebAssembly, cached by content.
      The interpreter judges it and takes over wherever there is no translated block.
    - `one_core`: one core alone, for `npuninja core`. Those of the array: npuninja/emulator/machine_cores.py.

Only AIE2 (npu1) has a table so far. AIE2P is refused by name: an ELF says what it was made for, and of
program memory in an XCLBIN or a PDI `foreign_code` finds out.
"""
