"""Numbers of the sections of a wasm module (WebAssembly specification, "Modules"; custom sections are 0)."""

from __future__ import annotations

TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT = range(1, 8)
START, ELEMENT, CODE, DATA, DATA_COUNT, TAG = range(8, 14)

#: A core's module has these, in this order, and neither a start function nor counted data.
OF_CORES = (TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, ELEMENT, CODE)
