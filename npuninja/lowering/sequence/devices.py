"""Sequences that run other devices' sequences: `aiex.configure` and `aiex.run`.

    aiex.configure @other {                     aiex.npu.load_pdi {device_ref = @other}
      aiex.run @seq(%x) : (memref<…>)    ->     the operations of @seq of @other, with %x for its argument
    }

What those operations refer to in the other device (tiles, locks, buffers, allocations) is copied into the
device of the running sequence; symbols get a new name where theirs is taken, once for each run.

Source: MLIR-AIE (2026) AIEMaterializeRuntimeSequences.cpp and its output for a module with three devices.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import TilePlace
from npuninja.errors import UserError
from npuninja.ir.attributes import StringAttr, SymbolRefAttr
from npuninja.ir.core import Operation, Value, clone
from npuninja.lowering.lookup import sequences, symbols
from npuninja.lowering.tiles import place_of, tile_at

if TYPE_CHECKING:
    from typing import Sequence

_CONFIGURE, _RUN, _LOAD = "aiex.configure", "aiex.run", "aiex.npu.load_pdi"
_SCRATCHPAD = "aiex.npu.create_scratchpad"


def materialize_sequences(module: Operation) -> None:
    """Replaces every `aiex.configure` and `aiex.run` in the module's sequences. Raises UserError, located."""
    devices = {op.string("sym_name", "main"): op for op in module.body.ops if op.name == "aie.device"}
    for device in devices.values():
        for sequence in reversed(list(sequences(device))):
            if any(op.name in (_CONFIGURE, _RUN) for op in sequence.body.ops):
                _Inliner(devices, device, sequence).run()


class _Inliner:
    def __init__(self, devices: dict[str, Operation], device: Operation, sequence: Operation) -> None:
        self.devices = devices
        self.device = device
        self.sequence = sequence

    def run(self) -> None:
        block = self.sequence.body
        old, block.ops = block.ops, []
        for op in self._expanded(old, self.device, [self.sequence]):
            block.append(op)
        self._join_loads()
        self._hoist_scratchpad()

    def _join_loads(self) -> None:
        """Of two equal loads that follow each other the second stays."""
        block = self.sequence.body
        following = [*block.ops[1:], None]
        block.ops = [
            op
            for op, after in zip(block.ops, following)
            if after is None or op.name != _LOAD or after.name != _LOAD or op.attributes != after.attributes
        ]

    def _hoist_scratchpad(self) -> None:
        """There is one scratchpad, and it must be there before the first device is loaded."""
        block = self.sequence.body
        made = [op for op in block.ops if op.name == _SCRATCHPAD]
        for op in made[1:]:
            if op.integer("size") != made[0].integer("size"):
                raise UserError(
                    f"sequences that run together make scratchpads of {made[0].integer('size')} and "
                    f"{op.integer('size')} bytes, there is one for all",
                    op.loc,
                    notes=(("the other", made[0].loc),),
                )
        if made:
            block.ops = [made[0], *(op for op in block.ops if op.name != _SCRATCHPAD)]

    def _expanded(
        self, ops: Sequence[Operation], device: Operation, active: list[Operation]
    ) -> list[Operation]:
        """Operations that refer to things of `device`, with their runs replaced.

        Runs are replaced from the last to the first, which decides the new names of symbols. `active` are the
        sequences that are being inlined.
        """
        found: list[list[Operation]] = []
        for op in reversed(ops):
            if op.name == _CONFIGURE:
                found.append(self._configured(op, active))
            elif op.name == _RUN:
                found.append(self._inline(op, device, active))
            else:
                found.append([op])
        return [op for part in reversed(found) for op in part]

    def _configured(self, op: Operation, active: list[Operation]) -> list[Operation]:
        name = op.symbol("symbol")
        configured = self.devices.get(name)
        if configured is None:
            raise UserError(
                f"the module has no device @{name}",
                op.loc,
                hint=f"devices: {', '.join('@' + d for d in self.devices)}",
            )
        load = Operation(_LOAD, attributes={"device_ref": SymbolRefAttr((name,))}, loc=op.loc)
        inside = [inner for inner in op.body.ops if inner.name != "aie.end"]
        return [load, *self._expanded(inside, configured, active)]

    def _inline(self, run: Operation, device: Operation, active: list[Operation]) -> list[Operation]:
        name = run.symbol("runtime_sequence_symbol")
        callee = next((s for s in sequences(device) if s.string("sym_name", "sequence") == name), None)
        if callee is None:
            known = ", ".join("@" + s.string("sym_name", "sequence") for s in sequences(device))
            raise UserError(
                f"device @{device.string('sym_name', 'main')} has no runtime sequence @{name}",
                run.loc,
                hint=f"it has {known or 'none'}",
            )
        if callee in active:
            raise UserError(
                f"runtime sequence @{name} runs itself", run.loc, notes=(("the sequence", callee.loc),)
            )
        expected = [a.type for a in callee.body.args]
        if [v.type for v in run.operands] != expected:
            raise UserError(
                f"@{name} takes ({', '.join(expected)}), given ({', '.join(v.type for v in run.operands)})",
                run.loc,
                notes=(("the sequence", callee.loc),),
            )
        values = dict(zip(callee.body.args, run.operands))
        names: dict[str, str] = {}
        copies = [
            clone(op, values) if device is self.device else self._adopt(op, device, values, names)
            for op in callee.body.ops
        ]
        return self._expanded(copies, device, [*active, callee])

    def _adopt(
        self, op: Operation, device: Operation, values: dict[Value, Value], names: dict[str, str]
    ) -> Operation:
        """A copy of `op` of `device` for this device, with what it refers to."""
        for inner in op.walk():
            for value in inner.operands:
                owner = value.owner
                if value not in values and isinstance(owner, Operation) and owner.parent is device.body:
                    values[value] = self._copy_value(owner, values)
        copy = clone(op, values)
        table = symbols(device)
        for inner in copy.walk():
            if inner.name in (_CONFIGURE, _RUN):
                continue
            for key, attribute in inner.attributes.items():
                if isinstance(attribute, SymbolRefAttr) and attribute.path[0] in table:
                    symbol = attribute.path[0]
                    if symbol not in names:
                        names[symbol] = self._copy_symbol(table[symbol], values)
                    inner.attributes[key] = SymbolRefAttr((names[symbol], *attribute.path[1:]))
        return copy

    def _copy_value(self, owner: Operation, values: dict[Value, Value]) -> Value:
        if owner.name == "aie.tile":
            place: TilePlace = place_of(owner.result)
            tile = tile_at(self.device, place)
            if tile is None:
                tile = self.device.body.insert(0, clone(owner, {}))
            return tile.result
        if owner.name not in ("aie.lock", "aie.buffer", "aie.external_buffer", "arith.constant"):
            raise UserError(
                f"'{owner.name}' cannot be used by a sequence that another device runs", owner.loc
            )
        return self._copy(owner, values).result

    def _copy(self, owner: Operation, values: dict[Value, Value]) -> Operation:
        for value in owner.operands:
            source = value.owner
            if value not in values and isinstance(source, Operation):
                values[value] = self._copy_value(source, values)
        copy = clone(owner, values)
        name = copy.attributes.get("sym_name")
        if isinstance(name, StringAttr):
            copy.attributes["sym_name"] = StringAttr(self._free_name(name.value))
        return next(iter(sequences(self.device))).insert_before(copy)

    def _copy_symbol(self, owner: Operation, values: dict[Value, Value]) -> str:
        if owner.results and owner.result in values:
            return values[owner.result].op.string("sym_name")
        copy = self._copy(owner, values)
        if owner.results:
            values[owner.result] = copy.result
        return copy.string("sym_name")

    def _free_name(self, name: str) -> str:
        taken, number, candidate = symbols(self.device), 0, name
        while candidate in taken:
            candidate, number = f"{name}_{number}", number + 1
        return candidate
