"""insts.bin: a lowered runtime sequence as a TXN instruction stream.

Source: MLIR-AIE AIETargetNPU.cpp; the stream's layout is `npuninja.formats.txn`'s.
"""

from __future__ import annotations

import struct

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.formats.txn import (
    DDR_AIE_OFFSET,
    TRANSLATED_ARGUMENTS,
    AddressPatch,
    BlockWrite,
    CreateScratchpad,
    LoadPdi,
    MaskWrite,
    Preempt,
    Sync,
    Transaction,
    TxnOperation,
    UpdateFromScratchpad,
    Write,
    write_txn,
)
from npuninja.ir.attributes import DenseElementsAttr, SymbolRefAttr
from npuninja.ir.core import Operation
from npuninja.ir.enums import ENUMS
from npuninja.ir.numbers import NUMBERS
from npuninja.ir.syntax import operand
from npuninja.ir.types import element_count, memref
from npuninja.ir.verifier_sequence import check_guard
from npuninja.lowering.lookup import absolute_address, find_device, find_sequence, lookup
from npuninja.lowering.number_operands import numbers_from_values
from npuninja.lowering.op_builders import constant_value
from npuninja.lowering.sequence.checks import run_time_error
from npuninja.lowering.tiles import model_of

if TYPE_CHECKING:
    from typing import Callable


def instruction_stream(
    module: Operation,
    device: str,
    sequence: str,
    *,
    folds_late_arguments: bool = False,
    numbers_devices: bool = False,
) -> bytes:
    """The bytes of insts.bin of one sequence of one device.

    `folds_late_arguments`: arguments from the sixth on are marked, because the firmware adds what it must add
    to addresses of host memory for the first five only.

    `numbers_devices`: what loads a device by its name gets that one's place in the module, from 1; else it is
    done already, or is left to the packer of the PDIs.

    Raises:
        UserError: no such device or sequence, an operation step 3 should have lowered, a value out of range.
    """
    operation = find_device(module, device)
    model = model_of(operation)
    operations = []
    numbers_from_values(operation)
    for op in find_sequence(operation, sequence).body.ops:
        encode = _ENCODERS.get(op.name)
        if encode is not None:
            if op.name in NUMBERS and op.operands:
                raise run_time_error(f"'{op.name}'", op)
            encoded = encode(op, operation)
            if folds_late_arguments and isinstance(encoded, AddressPatch):
                encoded = _folded(encoded)
            if numbers_devices and isinstance(encoded, LoadPdi):
                encoded = _numbered(encoded, op, module)
            operations.append(encoded)
        elif op.name in _GUARDS:
            if constant_value(operand(op, "value")) is None:
                raise run_time_error(f"'{op.name}'", op)
            check_guard(op)
        elif op.name.startswith(_LOWERED) and op.name not in _SILENT:
            raise UserError(
                f"'{op.name}' has no instruction",
                op.loc,
                hint="lower the runtime sequence first (step 3), and leave out what runs elsewhere",
            )
    return write_txn(
        Transaction(model.txn_generation, model.rows, model.columns, model.memtile_rows, tuple(operations))
    )


def _folded(patch: AddressPatch) -> AddressPatch:
    if patch.argument < TRANSLATED_ARGUMENTS:
        return patch
    return patch._replace(offset_bytes=patch.offset_bytes + DDR_AIE_OFFSET & 0xFFFFFFFF)


def _numbered(load: LoadPdi, op: Operation, module: Operation) -> LoadPdi:
    name = op.attributes.get("device_ref")
    if not isinstance(name, SymbolRefAttr):
        return load
    device = find_device(module, name.path[-1])
    devices = [other for other in module.body.ops if other.name == "aie.device"]
    return load._replace(pdi_id=devices.index(device) + 1)


def _write(op: Operation, device: Operation) -> TxnOperation:
    return Write(absolute_address(op, device), op.integer("value") & 0xFFFFFFFF)


def _mask_write(op: Operation, device: Operation) -> TxnOperation:
    return MaskWrite(
        absolute_address(op, device), op.integer("mask") & 0xFFFFFFFF, op.integer("value") & 0xFFFFFFFF
    )


def _block_write(op: Operation, device: Operation) -> TxnOperation:
    source = operand(op, "data").owner
    if not isinstance(source, Operation) or source.name != "memref.get_global":
        raise UserError("'aiex.npu.blockwrite' expects data made by memref.get_global", op.loc)
    constant = lookup(device, source.symbol("name"), ("memref.global",), op)
    data = constant.attributes.get("initial_value")
    if not isinstance(data, DenseElementsAttr):
        raise UserError(
            "'aiex.npu.blockwrite' expects a global with values",
            op.loc,
            notes=(("the global", constant.loc),),
        )
    try:
        words = [int(text, 0) & 0xFFFFFFFF for text in data.values]
    except ValueError:
        raise UserError("the data of 'aiex.npu.blockwrite' must be 32-bit integers", constant.loc) from None
    if data.splat:
        words *= element_count(memref(source.result.type).shape)
    payload = struct.pack(f"<{len(words)}I", *words)
    column, row = op.integer("column", 0), op.integer("row", 0)
    return BlockWrite(absolute_address(op, device), payload, column, row)


def _sync(op: Operation, device: Operation) -> TxnOperation:
    keys = ("column", "row", "direction", "channel", "column_num", "row_num")
    return Sync(*(op.integer(key) & 0xFF for key in keys))


def _address_patch(op: Operation, device: Operation) -> TxnOperation:
    offset = op.integer("arg_plus")
    if offset < 0:
        raise UserError(
            f"the transfer starts {-offset} bytes before argument {op.integer('arg_idx')}", op.loc
        )
    return AddressPatch(op.integer("addr"), op.integer("arg_idx"), offset)


def _load_pdi(op: Operation, device: Operation) -> TxnOperation:
    # Number, size and address are filled in where the PDIs are packed together; MLIR-AIE writes 0 until then.
    return LoadPdi(op.integer("id", 0), op.integer("size", 0), op.integer("address", 0))


def _preempt(op: Operation, device: Operation) -> TxnOperation:
    return Preempt(op.integer("level"))


def _create_scratchpad(op: Operation, device: Operation) -> TxnOperation:
    # XRT puts the address of the scratchpad after the size.
    return CreateScratchpad(op.integer("usage_type", 0), op.integer("size"), 0)


def _update_from_scratchpad(op: Operation, device: Operation) -> TxnOperation:
    function = ENUMS["StateTableFunc"][op.enum("func") if "func" in op.attributes else "incr"]
    return UpdateFromScratchpad(
        op.integer("state_table_idx"), function, op.integer("func_arg", 0), absolute_address(op, device)
    )


_ENCODERS: dict[str, Callable[[Operation, Operation], TxnOperation]] = {
    "aiex.npu.write32": _write,
    "aiex.npu.maskwrite32": _mask_write,
    "aiex.npu.blockwrite": _block_write,
    "aiex.npu.sync": _sync,
    "aiex.npu.address_patch": _address_patch,
    "aiex.npu.load_pdi": _load_pdi,
    "aiex.npu.preempt": _preempt,
    "aiex.npu.create_scratchpad": _create_scratchpad,
    "aiex.npu.update_from_scratchpad": _update_from_scratchpad,
}
#: Dialects whose operations mean something that happens; all others only make values for others.
_LOWERED = ("aie.", "aiex.", "scf.", "cf.")
#: What is checked while instructions are made, and has none.
_GUARDS = {"aiex.npu.assert_bd_field", "aiex.npu.assert_bd_divisible"}
#: Those of them that stay in a lowered sequence without an instruction, as with the reference.
#: A buffer for traces is there where no trace is, too.
_SILENT = {"aie.end", "aiex.control_packet", "aie.trace.host_config"}
