"""The numbers of the sections of a wasm module (WebAssembly specification, "Modules"; custom sections are 0)."""

from __future__ import annotations

TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT = range(1, 8)
START, ELEMENT, CODE, DATA, DATA_COUNT, TAG = range(8, 14)

#: Those of a core's module in the order in which they stand; it has neither a start function nor counted data.
OF_CORES = (TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, ELEMENT, CODE)
