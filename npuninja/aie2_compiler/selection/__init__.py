"""Instructions of RV32 to operations of AIE2, function by function, layer by layer; this module is the door.

- `registers`: blocks, the homes of RV32's registers, constants in temporaries.
- `frame`: the size of a function's frame.
- `addresses`: pointers, offsets, the stack pointer; loads and stores.
- `arithmetic`, `expansions`: what computes.
- `leaving`: branches, calls, returns.
- `table`: which instruction goes where.
"""

from npuninja.aie2_compiler.selection.registers import LabelledBlock, Selected
from npuninja.aie2_compiler.selection.table import select

__all__ = ["LabelledBlock", "Selected", "select"]
