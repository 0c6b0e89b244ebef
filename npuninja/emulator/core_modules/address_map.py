"""Where things lie in the memory of a core's instance.

The addresses that code has are those of the core ABI (docs/architecture.md, "Core images"). A rewritten
module adds constants to them, so that one address means different memory for different code:

- the core's own function reaches the ABI's map itself: locks, saved state, data windows;
- kernels reach `KERNELS` above it, where only the data windows are mapped: a pointer into the lock plane or
  the saved state leads nowhere, as on a core, and the check costs nothing;
- the page `REGISTERS` there is private to a core: what a kernel's headers keep in registers of an NPU
  (rounding, saturation, a vector whose lane is picked at run time);
- the page `SAVED_CALLS` holds the calls of a core that waits in the middle of its code (`suspension`);
- a checked run keeps one word for each word of data, `READ_MARKS` and `WRITE_MARKS` above it.

The gaps keep an address beyond 0x80000 from meeting another region.
"""

from __future__ import annotations

from npuninja.formats.wasm_module import WASM_PAGE_BYTES

ADDRESS_SPACE_BYTES = 0x80000
KERNELS = 0x100000
#: An address of kernels, in the page before the data windows, so `KERNELS` above it in the instance.
REGISTERS = 0x30000
#: Where a kernel finds its core's column << 16 | row (kernel_headers/include/npu/control.h).
CORE_NUMBER = REGISTERS + 0xFFF0
SAVED_CALLS = 0x280000
SAVED_CALLS_BYTES = 0x10000
READ_MARKS = 0x300000
WRITE_MARKS = 0x600000
#: Pages of the rewritten module's memory, without and with marks.
PLAIN_PAGES = (KERNELS + ADDRESS_SPACE_BYTES) // WASM_PAGE_BYTES
CHECKED_PAGES = (WRITE_MARKS + ADDRESS_SPACE_BYTES) // WASM_PAGE_BYTES
