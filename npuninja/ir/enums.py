"""The enums of the AIE dialects and of `arith`: the cases and their integers in the generic form.

Sources: MLIR-AIE include/aie/Dialect: AIE/IR/AIEAttrs.td, AIETraceAttrs.td and AIEX/IR/AIEXAttrs.td;
MLIR mlir/Dialect/Arith/IR/ArithBase.td.
"""

from __future__ import annotations

from npuninja.arch.families import FAMILIES

ENUMS: dict[str, dict[str, int]] = {
    "AIEDevice": {
        "xcvc1902": 1,
        "xcve2302": 2,
        "xcve2802": 3,
        **{name: number for family in FAMILIES.values() for name, number in family.device_numbers.items()},
    },
    "AIETileType": {"CoreTile": 0, "MemTile": 1, "ShimNOCTile": 2, "ShimPLTile": 3},
    "CascadeDir": {"South": 3, "West": 4, "North": 5, "East": 6},
    "DMAChannelDir": {"S2MM": 0, "MM2S": 1},
    "LockAction": {"Acquire": 0, "AcquireGreaterEqual": 2, "Release": 1},
    "LockBlocking": {"NonBlocking": 0, "Blocking": 1},
    "ObjectFifoPort": {"Produce": 0, "Consume": 1},
    "WireBundle": {
        "Core": 0,
        "DMA": 1,
        "FIFO": 2,
        "South": 3,
        "West": 4,
        "North": 5,
        "East": 6,
        "PLIO": 7,
        "NOC": 8,
        "Trace": 9,
        "TileControl": 10,
    },
    "CmpIPredicate": {
        "eq": 0, "ne": 1, "slt": 2, "sle": 3, "sgt": 4, "sge": 5, "ult": 6, "ule": 7, "ugt": 8, "uge": 9,
    },
    "IndexCmpPredicate": {
        "eq": 0, "ne": 1, "slt": 2, "sle": 3, "sgt": 4, "sge": 5, "ult": 6, "ule": 7, "ugt": 8, "uge": 9,
    },
    "CmpFPredicate": {
        "false": 0, "oeq": 1, "ogt": 2, "oge": 3, "olt": 4, "ole": 5, "one": 6, "ord": 7,
        "ueq": 8, "ugt": 9, "uge": 10, "ult": 11, "ule": 12, "une": 13, "uno": 14, "true": 15,
    },
    "TraceMode": {"Event-Time": 0, "Event-PC": 1, "Execution": 2},
    "TracePacketType": {"core": 0, "mem": 1, "shimtile": 2, "memtile": 3},
    "TraceShimRouting": {"single": 0},
    "ComboLogic": {"AND": 0, "AND_NOT": 1, "OR": 2, "OR_NOT": 3},
    "EdgeTrigger": {"RISING": 1, "FALLING": 2, "BOTH": 3},
    "StateTableFunc": {"mul": 0, "incr": 1, "decr": 2},
    "ScratchpadParameterKind": {"core": 0, "addr": 1},
    "ExpandMode": {"none": 0, "write32": 1, "ctrlpkt": 2},
    "RoundingMode": {"to_nearest_even": 0, "downward": 1, "upward": 2, "toward_zero": 3, "to_nearest_away": 4},
}  # fmt: skip

# The integer type of an enum in the generic form, where it is not i32.
STORAGE = {"CmpIPredicate": "i64", "CmpFPredicate": "i64"}


def case_of(kind: str, number: int) -> str | None:
    """The case with this number, or None."""
    for case, value in ENUMS[kind].items():
        if value == number:
            return case
    return None


#: Cases that older releases had under another name, and what they are called since (MLIR-AIE, 2024 and 2025).
FORMER_NAMES = {"ipu": "npu1", "npu": "npu1", "npu1_4col": "npu1", "ipu_4x4": "npu1"}
