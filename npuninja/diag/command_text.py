"""CDO commands and TXN operations as records for JSON and lines for people."""

from __future__ import annotations

import struct
from typing import Any, Callable, Sequence

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
    """The fields and the line of one CDO command."""
    describe = _DESCRIBED.get(type(command))
    if describe is not None:
        return describe(rows, command)
    assert isinstance(command, cdo.Other)
    name = cdo.NAMES.get(command.code, f"command 0x{command.code:04x}")
    words = " ".join(f"{word:08x}" for word in command.words)
    return Described({"operation": name.lower(), "words": list(command.words)}, f"{name} {words}".rstrip())


def describe_txn(operation: txn.TxnOperation, rows: Rows = SHARED_ROWS) -> Described:
    """The fields and the line of one operation of an instruction stream."""
    describe = _DESCRIBED.get(type(operation))
    if describe is not None:
        return describe(rows, operation)
    assert isinstance(operation, txn.Other)
    name = txn.NAMES.get(operation.code, f"operation 0x{operation.code:02x}")
    fields = {"operation": name.lower(), "data": operation.data.hex()}
    return Described(fields, f"{name} {operation.data.hex(' ', 4)}")


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


def _block(rows: Rows, command: cdo.BlockWrite | txn.BlockWrite) -> Described:
    data = command.data
    described = _at(rows, "block_write", command.address, {"bytes": len(data)})
    register = register_at(command.address, rows)
    if register.bd is not None and register.word == 0:
        words = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
        fields = descriptor_fields(register.kind, words)
        if fields is not None:
            described.fields["descriptor"] = fields
            what = descriptor_text(register.kind, fields)
            return described._replace(line=f"BD {register.bd} of {register.tile}: {what}")
    stub = read_stub(data) if register.name.startswith("program memory") else None
    if stub is not None:
        digest = stub.digest.hex()
        described.fields["wasm_core"] = {"sha256": digest, "stack_bytes": stub.stack_bytes}
        what = f"wasm core {digest[:16]}…, stack {stub.stack_bytes} bytes"
        return described._replace(line=f"{described.line}: {what}")
    return described._replace(line=f"{described.line}: {len(data)} bytes")


def _sync(rows: Rows, operation: txn.Sync) -> Described:
    direction = _DIRECTION_NAMES.get(operation.direction, str(operation.direction))
    fields = {**operation._asdict(), "operation": "sync", "direction": direction}
    where = tile_name(operation.column, operation.row, rows.kind(operation.row))
    if (operation.columns, operation.rows) != (1, 1):
        where += f" and its {operation.columns} x {operation.rows} tiles"
    return Described(fields, f"wait for {where} {direction} {operation.channel}")


def _poll(rows: Rows, command: cdo.MaskPoll | txn.MaskPoll) -> Described:
    described = _at(rows, "poll", command.address, {"mask": command.mask, "value": command.value})
    line = f"{described.line} & 0x{command.mask:x} == 0x{command.value:x}"
    if isinstance(command, cdo.MaskPoll):
        described.fields["timeout_ms"] = command.timeout_ms
        line += f" within {command.timeout_ms} ms"
    return described._replace(line=line)


def _fill(rows: Rows, command: cdo.Fill) -> Described:
    described = _at(rows, "fill", command.address, {"words": command.words, "value": command.value})
    return described._replace(line=f"{described.line}: {command.words} words of 0x{command.value:08x}")


def _address_patch(rows: Rows, operation: txn.AddressPatch) -> Described:
    argument, offset = operation.argument, operation.offset_bytes
    more = {"argument": argument, "offset_bytes": offset}
    described = _at(rows, "address_patch", operation.address, more)
    register = register_at(operation.address, rows)
    what = (
        f"{register.tile} {register.name}" if register.bd is None else f"BD {register.bd} of {register.tile}"
    )
    return described._replace(line=f"address of {what} := argument {argument} + {offset} bytes")


def _update(rows: Rows, operation: txn.UpdateFromScratchpad) -> Described:
    described = _at(rows, "update_from_scratchpad", operation.address, operation._asdict())
    names = {0: "mul", 1: "incr", 2: "decr"}
    function = names.get(operation.function, f"function {operation.function}")
    how = f"word {operation.entry} of the scratchpad ({function} {operation.argument})"
    return described._replace(line=f"{described.line} += {how}")


def _plain(operation: str, line: str, **fields: Any) -> Described:
    return Described({"operation": operation, **fields}, line)


#: Commands and operations by their class.
_DESCRIBED: dict[type, Callable[[Rows, Any], Described]] = {
    Write: _register_write,
    MaskWrite: _register_write,
    cdo.BlockWrite: _block,
    txn.BlockWrite: _block,
    cdo.MaskPoll: _poll,
    txn.MaskPoll: _poll,
    cdo.Fill: _fill,
    cdo.Delay: lambda _, c: _plain("delay", f"wait {c.duration_us} us", us=c.duration_us),
    cdo.Nop: lambda _, c: _plain("nop", f"nop ({4 + len(c.payload)} bytes)", bytes=4 + len(c.payload)),
    txn.Sync: _sync,
    txn.AddressPatch: _address_patch,
    txn.LoadPdi: lambda _, o: _plain(
        "load_pdi", f"load PDI {o.pdi_id} ({o.size_bytes} bytes at 0x{o.address:x})", **o._asdict()
    ),
    txn.CreateScratchpad: lambda _, o: _plain(
        "create_scratchpad", f"scratchpad of {o.size_bytes} bytes from 0x{o.address:x}", **o._asdict()
    ),
    txn.UpdateFromScratchpad: _update,
    txn.Preempt: lambda _, o: _plain("preempt", f"may be preempted (level {o.level})", level=o.level),
    txn.Noop: lambda _, __: _plain("noop", "noop"),
}


def numbered(described: Sequence[Described], indent: str = "  ") -> list[str]:
    """The lines with their numbers."""
    width = len(str(max(len(described) - 1, 0)))
    return [f"{indent}{i:{width}} {d.line}" for i, d in enumerate(described)]
