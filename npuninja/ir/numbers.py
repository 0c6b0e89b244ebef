"""Which numbers of an operation may be written as SSA values, in the order of the operands.

Attributes in MLIR-AIE up to 2026-06, operands in later releases (AIEOps.td, AIEX.td). The names are those of
the attributes; all operands are i32.
"""

from __future__ import annotations

NUMBERS: dict[str, tuple[tuple[str, str], ...]] = {
    "aie.use_lock": (("value", "i32"),),
    "aiex.npu.write32": (("address", "ui32"), ("value", "ui32")),
    "aiex.npu.maskwrite32": (("address", "ui32"), ("value", "ui32"), ("mask", "ui32")),
    "aiex.npu.sync": tuple(
        (name, "i32") for name in ("column", "row", "direction", "channel", "column_num", "row_num")
    ),
    "aiex.npu.rtp_write": (("value", "i32"),),
    "aiex.npu.push_queue": (("repeat_count", "i32"), ("bd_id", "i32")),
    "aiex.npu.address_patch": (("arg_plus", "i32"),),
}
