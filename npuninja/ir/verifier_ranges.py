"""The numbers of operations that stand for a field of a register, or for one of a fixed count of things.

Sources: attribute constraints in MLIR-AIE's AIEOps.td and AIETraceOps.td; what a transaction's words hold.
"""

from __future__ import annotations

from npuninja.ir.core import Operation
from npuninja.ir.verifier_tiles import op_error

#: Operation -> attribute -> its least and largest number; None for no largest.
RANGES: dict[str, dict[str, tuple[int, int | None]]] = {
    "aie.amsel": {"arbiterID": (0, 5), "msel": (0, 3)},
    "aie.connect": {"source_channel": (0, None), "dest_channel": (0, None)},
    "aie.flow": {"source_channel": (0, None), "dest_channel": (0, None)},
    "aie.logical_tile": {"col": (0, None), "row": (0, None)},
    "aie.masterset": {"dest_channel": (0, None)},
    "aie.packet_rules": {"source_channel": (0, None)},
    "aie.packet_source": {"channel": (0, None)},
    "aie.packet_dest": {"channel": (0, None)},
    "aie.trace.combo_event": {"slot": (0, 2)},
    "aie.trace.edge_event": {"slot": (0, 1)},
    "aie.trace.packet": {"id": (1, 31)},
    "aie.trace.port": {"slot": (0, 7), "channel": (0, None)},
    "aie.trace.start": {"broadcast": (0, 15)},
    "aie.trace.stop": {"broadcast": (0, 15)},
    "aiex.npu.address_patch": {"arg_idx": (0, 0xFFFF_FFFF)},
    "aiex.npu.sync": {
        **dict.fromkeys(("column", "row", "channel"), (0, 0xFF)),
        "direction": (0, 1),
        "column_num": (0, 0xFF),
        "row_num": (0, 0xFF),
    },
}


def check_ranges(op: Operation) -> None:
    """Raises UserError when a number of `op` is outside its range."""
    for name, (low, high) in RANGES.get(op.name, {}).items():
        if name not in op.attributes:
            continue
        number = op.integer(name)
        if number < low or (high is not None and number > high):
            wanted = f"{low} or more" if high is None else f"{low} to {high}"
            raise op_error(op, f"{name} is {number}, expected {wanted}")
