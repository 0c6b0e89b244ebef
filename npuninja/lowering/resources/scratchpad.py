"""Parameters in the scratchpad: numbers the host writes before a run, without new instructions.

    aiex.read_scratchpad_parameter @p   ->   load from a buffer of the core's tile that the sequence fills
    offset_parameter = @p of a transfer ->   offset_state_table_idx, its number in the scratchpad

A core waits for a lock that the sequence sets when the buffers are filled. The firmware clears the two low
bits of what it writes, so numbers are shifted left by two and have 30 bits.

Rules: MLIR-AIE, AIELowerScratchpadParameters.cpp.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attributes import (
    BoolAttr,
    EnumAttr,
    IntegerAttr,
    StringAttr,
    SymbolRefAttr,
)
from npuninja.ir.core import Operation, Value
from npuninja.ir.types import bits
from npuninja.lowering import op_builders
from npuninja.lowering.lookup import sequences
from npuninja.lowering.npu_operations import make
from npuninja.lowering.op_builders import constant, i32
from npuninja.lowering.tiles import ops_of, place_of

PARAMETER, READ = "aiex.scratchpad_parameter", "aiex.read_scratchpad_parameter"
MARKER = "aiex.sync_scratchpad_parameters_from_host"
_MAX_PARAMETERS = 32
_BYTES = 4
_SHIFT = 2
_BUFFER_TYPE = "memref<2xi32>"
#: Whether a core waits, and whether a sequence fills; the default is that it does if it has to.
_PREAMBLE = "emit_parameter_sync_preamble"


def lower_scratchpad_parameters(module: Operation) -> None:
    """Lowers the parameters of a module in place.

    Raises:
        UserError: an unknown parameter, more than 32, one that is used both as number and as offset, or a
            type that the scratchpad does not hold.
    """
    declared = {op.string("sym_name"): op for op in module.walk() if op.name == PARAMETER}
    devices = [op for op in module.body.ops if op.name == "aie.device"]
    if not declared and not any(op.name in (READ, MARKER) for device in devices for op in device.walk()):
        return
    if len(declared) > _MAX_PARAMETERS:
        raise UserError(
            f"the module has {len(declared)} scratchpad parameters, the scratchpad holds {_MAX_PARAMETERS}",
            list(declared.values())[_MAX_PARAMETERS].loc,
        )
    _give_kinds(module, declared)
    for device in devices:
        _lower_device(device, declared)


def parameter_table(module: Operation) -> str:
    """What a host program needs to write the parameters: their count, then name, number, type and kind of
    each; "" for a module without parameters. It needs step 1.
    """
    ops = [op for op in module.walk() if op.name == PARAMETER]
    lines = [str(len(ops))]
    for op in ops:
        lines.append(
            f"{op.string('sym_name')} {op.integer('state_table_idx')} {op.type_of('type')} {op.enum('kind')}"
        )
    return "\n".join(lines) + "\n" if ops else ""


def _ui8(number: int) -> IntegerAttr:
    return IntegerAttr(number, "ui8")


def _give_kinds(module: Operation, declared: dict[str, Operation]) -> None:
    core: dict[str, Operation] = {}
    offset: dict[str, Operation] = {}
    transfers = [op for op in module.walk() if "offset_parameter" in op.attributes]
    for op in module.walk():
        if op.name == READ:
            core.setdefault(op.symbol("parameter"), op)
    for op in transfers:
        offset.setdefault(op.symbol("offset_parameter"), op)
    for name, user in (*core.items(), *offset.items()):
        if name not in declared:
            raise UserError(
                f"there is no scratchpad parameter '@{name}'",
                user.loc,
                hint=f"the module declares {', '.join('@' + n for n in declared) or 'no parameters'}",
            )
    for number, (name, op) in enumerate(declared.items()):
        _check_use(op, core.get(name), offset.get(name))
        op.attributes["kind"] = EnumAttr("ScratchpadParameterKind", "addr" if name in offset else "core")
        op.attributes["state_table_idx"] = _ui8(number)
    for op in transfers:
        name = op.symbol("offset_parameter")
        del op.attributes["offset_parameter"]
        op.attributes["offset_state_table_idx"] = _ui8(declared[name].integer("state_table_idx"))


def _check_use(op: Operation, read: Operation | None, transfer: Operation | None) -> None:
    """A parameter's type fits its use: by a core, or as the offset of a transfer."""
    what, type_ = f"scratchpad parameter '@{op.string('sym_name')}'", op.type_of("type")
    if read is not None and transfer is not None:
        raise UserError(
            f"{what} is used both as a number of a core and as an offset of a transfer",
            op.loc,
            notes=(("read here", read.loc), ("an offset here", transfer.loc)),
            hint="declare two parameters",
        )
    if transfer is not None and type_ != "i32":
        raise UserError(
            f"{what} is an offset of a transfer, so it must be i32, not {type_}",
            op.loc,
            notes=(("an offset here", transfer.loc),),
        )
    if type_ not in ("i1", "i8", "i16", "i32", "bf16") and not (type_[:1] == "i" and bits(type_) <= 32):
        raise UserError(f"a scratchpad parameter is an integer of up to 32 bits or bf16, not {type_}", op.loc)


def _wanted(op: Operation, default: bool) -> bool:
    flag = op.attributes.get(_PREAMBLE)
    return flag.value if isinstance(flag, BoolAttr) else default


def _lower_device(device: Operation, declared: dict[str, Operation]) -> None:
    used = [op for op in device.walk() if op.name == READ or "offset_state_table_idx" in op.attributes]
    cores = list(ops_of(device, "aie.core"))
    reads = [op for core in cores for op in core.walk() if op.name == READ]
    buffers = _buffers(device, reads)
    locks = [
        _wait_in_core(core)
        for core in cores
        if _wanted(core, any(op.enclosing("aie.core") is core for op in reads))
    ]
    for sequence in sequences(device):
        manual = any(op.name == MARKER for op in sequence.walk())
        if _wanted(sequence, bool(used) and not manual):
            sequence.body.insert(0, Operation(MARKER, loc=sequence.loc))
            sequence.attributes[_PREAMBLE] = BoolAttr(False)
        for marker in [op for op in sequence.walk() if op.name == MARKER]:
            for new in _fill(marker, declared, buffers, locks):
                marker.insert_before(new)
            marker.erase()
    for op in reads:
        _load(op, buffers[_key(op)])


def _key(read: Operation) -> tuple[str, Value]:
    """The parameter that is read, and the tile of the core that reads it."""
    core = read.enclosing("aie.core")
    assert core is not None, read
    return read.symbol("parameter"), core.tile


def _buffers(device: Operation, reads: list[Operation]) -> dict[tuple[str, Value], Operation]:
    """A buffer for each parameter on each tile that reads it, after the operation of the tile."""
    taken = {
        op.string("sym_name") for op in device.walk() if isinstance(op.attributes.get("sym_name"), StringAttr)
    }
    buffers: dict[tuple[str, Value], Operation] = {}
    number = 0
    for op in reads:
        parameter, tile = key = _key(op)
        if key not in buffers:
            column, row = place_of(tile)
            while (name := f"__param_{parameter}_{column}_{row}_{number}") in taken:
                number += 1
            number += 1
            taken.add(name)
            buffers[key] = op_builders.buffer(tile, name, _BUFFER_TYPE, None, op.loc)
            tile.op.insert_after(buffers[key])
    return buffers


def _wait_in_core(core: Operation) -> Value:
    tile = core.tile
    lock = tile.op.insert_after(Operation("aie.lock", [tile], {"init": i32(0)}, ("index",), loc=core.loc))
    core.body.insert(0, op_builders.use_lock(lock.result, "Acquire", 1, core.loc))
    core.attributes[_PREAMBLE] = BoolAttr(False)
    return lock.result


def _fill(
    marker: Operation,
    declared: dict[str, Operation],
    buffers: dict[tuple[str, Value], Operation],
    locks: list[Value],
) -> list[Operation]:
    size = IntegerAttr(_BYTES * len(declared), "ui32")
    new = [make("aiex.npu.create_scratchpad", marker, size=size)]
    zero = IntegerAttr(0, "ui32")
    for (name, _), buffer in buffers.items():
        symbol = SymbolRefAttr((buffer.string("sym_name"),))
        index = _ui8(declared[name].integer("state_table_idx"))
        # The firmware adds to what is there.
        new.append(make("aiex.npu.write32", marker, address=zero, value=zero, buffer=symbol))
        update = "aiex.npu.update_from_scratchpad"
        new.append(make(update, marker, state_table_idx=index, address=zero, buffer=symbol))
    new += [Operation("aiex.set_lock", [lock], {"value": i32(1)}, loc=marker.loc) for lock in locks]
    return new


def _load(op: Operation, buffer: Operation) -> None:
    """Replaces the read of a parameter by a load, a shift and a conversion."""
    type_ = op.result.type
    chain = [constant(0, "index"), constant(_SHIFT, "i32")]
    load = Operation("memref.load", [buffer.result, chain[0].result], result_types=("i32",))
    shift = Operation("arith.shrui", [load.result, chain[1].result], result_types=("i32",))
    chain += [load, shift]
    if type_ == "bf16":
        chain.append(Operation("arith.trunci", [chain[-1].result], result_types=("i16",)))
        chain.append(Operation("arith.bitcast", [chain[-1].result], result_types=("bf16",)))
    elif type_ != "i32":
        chain.append(Operation("arith.trunci", [chain[-1].result], result_types=(type_,)))
    for new in chain:
        new.loc = op.loc
        op.insert_before(new)
    core = op.enclosing("aie.core")
    assert core is not None, op
    core.replace_uses({op.result: chain[-1].result})
    op.erase()
