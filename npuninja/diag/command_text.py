"""CDO commands and TXN operations as records for JSON and lines for people."""

from __future__ import annotations

import struct
from typing import Any, Sequence

from npuninja.arch.families import SHARED_ROWS, Rows
from npuninja.arch.registers import DIRECTIONS
from npuninja.diag.descriptor_text import descriptor_fields, descriptor_text
from npuninja.diag.register_names import register_at, tile_name, value_meaning
from npuninja.formats import cdo, txn
from npuninja.formats.core_image import read_stub
from npuninja.formats.register_write import MaskWrite, Write
from npuninja.records import NamedTuple

_DIRECTION_NAMES = {number: name for name, number in DIRECTIONS.items()}


class Described(NamedTuple):
    """One command: its fields for JSON, and its line."""

    fields: dict[str, Any]
    line: str


def describe_cdo(command: cdo.Command, rows: Rows = SHARED_ROWS) -> Described:
    """One CDO command."""
    if isinstance(command, (Write, MaskWrite)):
        return _register_write(rows, command)
    if isinstance(command, cdo.BlockWrite):
        return _block(rows, "block_write", command.address, command.data)
    if isinstance(command, cdo.MaskPoll):
        described = _at(rows, "poll", command.address, {"mask": command.mask, "value": command.value})
        described.fields["timeout_ms"] = command.timeout_ms
        line = f"{described.line} & 0x{command.mask:x} == 0x{command.value:x} within {command.timeout_ms} ms"
        return Described(described.fields, line)
    if isinstance(command, cdo.Fill):
        described = _at(rows, "fill", command.address, {"words": command.words, "value": command.value})
        return Described(
            described.fields, f"{described.line}: {command.words} words of 0x{command.value:08x}"
        )
    if isinstance(command, cdo.Delay):
        return Described({"operation": "delay", "us": command.duration_us}, f"wait {command.duration_us} us")
    if isinstance(command, cdo.Nop):
        return Described(
            {"operation": "nop", "bytes": 4 + len(command.payload)}, f"nop ({4 + len(command.payload)} bytes)"
        )
    name = cdo.NAMES.get(command.code, f"command 0x{command.code:04x}")
    words = " ".join(f"{word:08x}" for word in command.words)
    return Described({"operation": name.lower(), "words": list(command.words)}, f"{name} {words}".rstrip())


def describe_txn(operation: txn.TxnOperation, rows: Rows = SHARED_ROWS) -> Described:
    """One operation of an instruction stream."""
    if isinstance(operation, (Write, MaskWrite)):
        return _register_write(rows, operation)
    if isinstance(operation, txn.BlockWrite):
        return _block(rows, "block_write", operation.address, operation.data)
    if isinstance(operation, txn.MaskPoll):
        described = _at(rows, "poll", operation.address, {"mask": operation.mask, "value": operation.value})
        return Described(
            described.fields, f"{described.line} & 0x{operation.mask:x} == 0x{operation.value:x}"
        )
    if isinstance(operation, txn.Sync):
        return _sync(rows, operation)
    if isinstance(operation, txn.AddressPatch):
        fields = {"argument": operation.argument, "offset_bytes": operation.offset_bytes}
        described = _at(rows, "address_patch", operation.address, fields)
        register = register_at(operation.address, rows)
        where = (
            f"BD {register.bd} of {register.tile}"
            if register.bd is not None
            else f"{register.tile} {register.name}"
        )
        return Described(
            described.fields,
            f"address of {where} := argument {operation.argument} + {operation.offset_bytes} bytes",
        )
    if isinstance(operation, txn.LoadPdi):
        return Described(
            {"operation": "load_pdi", **operation._asdict()},
            f"load PDI {operation.pdi_id} ({operation.size_bytes} bytes at 0x{operation.address:x})",
        )
    if isinstance(operation, txn.CreateScratchpad):
        return Described(
            {"operation": "create_scratchpad", **operation._asdict()},
            f"scratchpad of {operation.size_bytes} bytes from 0x{operation.address:x}",
        )
    if isinstance(operation, txn.UpdateFromScratchpad):
        described = _at(rows, "update_from_scratchpad", operation.address, operation._asdict())
        names = {0: "mul", 1: "incr", 2: "decr"}
        function = names.get(operation.function, f"function {operation.function}")
        line = (
            f"{described.line} += word {operation.entry} of the scratchpad ({function} {operation.argument})"
        )
        return Described(described.fields, line)
    if isinstance(operation, txn.Preempt):
        return Described(
            {"operation": "preempt", "level": operation.level}, f"may be preempted (level {operation.level})"
        )
    if isinstance(operation, txn.Noop):
        return Described({"operation": "noop"}, "noop")
    name = txn.NAMES.get(operation.code, f"operation 0x{operation.code:02x}")
    return Described(
        {"operation": name.lower(), "data": operation.data.hex()}, f"{name} {operation.data.hex(' ', 4)}"
    )


def _at(rows: Rows, operation: str, address: int, more: dict[str, Any]) -> Described:
    """The common part: where."""
    register = register_at(address, rows)
    fields = {
        "operation": operation,
        "address": address,
        "tile": [register.column, register.row],
        "register": register.name,
        **more,
    }
    return Described(fields, f"{operation} {register.tile} {register.name}")


def _register_write(rows: Rows, command: Write | MaskWrite) -> Described:
    address, value = command.address, command.value
    register = register_at(address, rows)
    if isinstance(command, Write):
        described = _at(rows, "write", address, {"value": value})
        return _with_meaning(described, value_meaning(register, value), f" := 0x{value:08x}")
    described = _at(rows, "mask_write", address, {"mask": command.mask, "value": value})
    meaning = value_meaning(register, value, command.mask)
    return _with_meaning(described, meaning, f" := 0x{value:x} in bits 0x{command.mask:x}")


def _with_meaning(described: Described, meaning: str, assignment: str) -> Described:
    if meaning:
        described.fields["meaning"] = meaning
    return Described(described.fields, described.line + assignment + (f" ({meaning})" if meaning else ""))


def _block(rows: Rows, operation: str, address: int, data: bytes) -> Described:
    described = _at(rows, operation, address, {"bytes": len(data)})
    register = register_at(address, rows)
    if register.bd is not None and register.word == 0:
        words = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
        fields = descriptor_fields(register.kind, words)
        if fields is not None:
            described.fields["descriptor"] = fields
            return Described(
                described.fields,
                f"BD {register.bd} of {register.tile}: {descriptor_text(register.kind, fields)}",
            )
    stub = read_stub(data) if register.name.startswith("program memory") else None
    if stub is not None:
        digest = stub.digest.hex()
        described.fields["wasm_core"] = {"sha256": digest, "stack_bytes": stub.stack_bytes}
        return Described(
            described.fields, f"{described.line}: wasm core {digest[:16]}…, stack {stub.stack_bytes} bytes"
        )
    return Described(described.fields, f"{described.line}: {len(data)} bytes")


def _sync(rows: Rows, operation: txn.Sync) -> Described:
    direction = _DIRECTION_NAMES.get(operation.direction, str(operation.direction))
    fields = {**operation._asdict(), "operation": "sync", "direction": direction}
    where = tile_name(operation.column, operation.row, rows.kind(operation.row))
    if (operation.columns, operation.rows) != (1, 1):
        where += f" and its {operation.columns} x {operation.rows} tiles"
    return Described(fields, f"wait for {where} {direction} {operation.channel}")


def numbered(described: Sequence[Described], indent: str = "  ") -> list[str]:
    """The lines with their numbers."""
    width = len(str(max(len(described) - 1, 0)))
    return [f"{indent}{i:{width}} {d.line}" for i, d in enumerate(described)]
