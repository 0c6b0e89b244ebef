"""Compares two lowered AIE MLIR texts by meaning instead of by spelling.

Values are replaced by what they stand for (a tile by its place, a lock by tile, id, init and name, a buffer
by tile, address, type and name, a constant by its number), so SSA names, attribute order, the order of
operations in a device body, block names and block order do not matter. Compared for each device: tiles,
locks, buffers with initial values, allocations, flows, connections, amsels, master sets, packet rules (in
order), shim multiplexers, DMA programs as graphs of buffer descriptors with the order of the channel starts,
core bodies and runtime sequences as operation lists. `aie.wire` and constants at device level are left out;
constants count where they are used.
"""

from __future__ import annotations

from typing import Iterator, Union

from conformance.dense_text import canonical_values
from conformance.mlir_lines import PrintedOp, read, split_commas
from conformance.printed_programs import Scope, body_lines, constant, dma_program
from npuninja.errors import UserError
from npuninja.lowering.tiles import DMA_REGIONS

#: How often a fact holds, or a list of which the order counts.
Fact = Union[int, list[str]]
#: Facts of one device: section -> key -> fact.
Facts = dict[str, dict[str, Fact]]
_SHOWN_CHARACTERS = 300


def compare(text_a: str, text_b: str, *, ignore: tuple[str, ...] = ()) -> list[str]:
    """The differences between two MLIR texts, a sentence each; empty when they mean the same.

    Args:
        text_a, text_b: modules in the layout of MLIR's printer.
        ignore: sections to leave out, for instance `tile`.

    Raises:
        UserError: a text cannot be read or has no device.
    """
    return list(_differences(_module_facts(text_a, "first"), _module_facts(text_b, "second"), ignore))


def _taken_out(region_op: PrintedOp) -> list[PrintedOp]:
    """The buffers and locks that are in a DMA's region, taken out: they are the tile's all the same."""
    found = []
    for region in region_op.regions:
        for block in region:
            found += [op for op in block.ops if op.name in ("aie.buffer", "aie.lock")]
            block.ops = [op for op in block.ops if op.name not in ("aie.buffer", "aie.lock")]
    return found


class _DeviceFacts:
    """Gathers the facts of one device."""

    def __init__(self, device: PrintedOp) -> None:
        self.facts: Facts = {}
        self.scope = Scope()
        ops = device.inside
        ops += [inner for op in ops if op.name in DMA_REGIONS for inner in _taken_out(op)]
        # Values may be used before their definition in the print order of another tool: define first.
        for define in (self._define_tile_or_global, self._define_lock_or_buffer):
            for op in ops:
                define(op)
        for op in ops:
            self._operation(op)

    def _count(self, section: str, key: str) -> None:
        found = self.facts.setdefault(section, {})
        count = found.get(key, 0)
        assert isinstance(count, int)
        found[key] = count + 1

    def _list(self, section: str, key: str, value: list[str]) -> None:
        found = self.facts.setdefault(section, {})
        found[key if key not in found else key + " (again)"] = value

    def _define_tile_or_global(self, op: PrintedOp) -> None:
        if op.name == "aie.tile":
            numbers = [token for token in op.tokens if token.isdigit()]
            self.scope.names[op.results[0]] = f"tile({numbers[0]},{numbers[1]})"
        elif op.name == "arith.constant":
            self.scope.names[op.results[0]] = constant(op)
        elif op.name == "memref.global":
            symbol = next(token for token in op.tokens if token.startswith("@"))
            tokens = canonical_values(op.tokens)
            rest = [token for token in tokens if token not in (symbol, '"private"', '"public"')]
            self.scope.names["@global " + symbol] = "global(" + " ".join(rest) + ")"

    def _define_lock_or_buffer(self, op: PrintedOp) -> None:
        def attribute(name: str) -> str:
            return self.scope.text(op.attributes[name]) if name in op.attributes else "-"

        if op.name == "aie.lock":
            operands = [token for token in op.tokens if token not in "(),"]
            tile = self.scope.look_up(operands[0])
            number = operands[1] if len(operands) > 1 else "unassigned"
            meaning = f"lock({tile},{number},init {attribute('init')},{attribute('sym_name')})"
        elif op.name == "aie.buffer":
            tile = self.scope.look_up(op.tokens[1])
            type_text = " ".join(op.tokens[op.tokens.index(":") + 1 :]).split(" = ")[0]
            meaning = f"buffer({tile},{attribute('address')},{type_text},{attribute('sym_name')})"
        elif op.name == "aie.external_buffer":
            meaning = f"external({attribute('sym_name')},{' '.join(op.tokens)})"
        else:
            return
        self.scope.names[op.results[0]] = meaning

    def _operation(self, op: PrintedOp) -> None:
        if op.name in ("aie.wire", "arith.constant", "aie.end"):
            return
        gather = {
            "aie.tile": self._tile,
            "aie.lock": self._lock,
            "aie.buffer": self._buffer,
            "aie.switchbox": self._switch,
            "aie.shim_mux": self._switch,
            "aie.core": self._core,
            "aie.packet_flow": self._packet_flow,
            "memref.global": self._global,
            **dict.fromkeys(DMA_REGIONS, self._dma),
        }
        sequence = self._sequence if op.name.endswith(".runtime_sequence") else self._other
        gather.get(op.name, sequence)(op)

    def _tile(self, op: PrintedOp) -> None:
        self._count("tile", self.scope.look_up(op.results[0]) + " " + self.scope.attributes(op))

    def _lock(self, op: PrintedOp) -> None:
        rest = self.scope.attributes(op, ("init", "sym_name"))
        self._count("lock", f"{self.scope.look_up(op.results[0])} {rest}")

    def _buffer(self, op: PrintedOp) -> None:
        initial = " ".join(canonical_values(op.tokens)).partition(" = ")[2]
        key = self.scope.look_up(op.results[0]) + " " + self.scope.attributes(op, ("address", "sym_name"))
        self._count("buffer", key + (" = " + initial if initial else ""))

    def _dma(self, op: PrintedOp) -> None:
        where = f"{op.name[4:]} {self.scope.look_up(op.tokens[1])}"
        programs, order = dma_program(op.regions[0], self.scope)
        for channel, chain in programs.items():
            self._list("dma", f"{where} {channel}", chain)
        self._list("dma start order", where, order)

    def _core(self, op: PrintedOp) -> None:
        tile = self.scope.look_up(op.tokens[1])
        self._list("core", f"{tile} attributes", [self.scope.attributes(op)])
        self._list("core", f"{tile} body", body_lines(op.regions[0], Scope(self.scope)))

    def _packet_flow(self, op: PrintedOp) -> None:
        ends = sorted(self.scope.operation(end) for end in op.inside if end.name != "aie.end")
        self._count("packet_flow", f"{self.scope.text(op.tokens)} {self.scope.attributes(op)} {ends}")

    def _global(self, op: PrintedOp) -> None:
        if '"private"' not in op.tokens and "private" not in op.tokens:
            self._count("memref.global", self.scope.operation(op))

    def _switch(self, op: PrintedOp) -> None:
        tile, kind = self.scope.look_up(op.tokens[1]), op.name[4:]
        inner = Scope(self.scope)
        ops = op.inside
        for o in ops:
            if o.name == "aie.amsel":
                numbers = [token for token in o.tokens if token.isdigit()]
                inner.names[o.results[0]] = f"amsel({numbers[0]},{numbers[1]})"
                self._count(f"{kind} amsel", f"{tile} {inner.look_up(o.results[0])}")
        for o in ops:
            if o.name == "aie.masterset":
                port, *amsels = split_commas(o.tokens[1:-1])
                chosen = sorted(inner.text(part) for part in amsels)
                self._count(
                    "switchbox masterset", f"{tile} {inner.text(port)} <- {chosen} {inner.attributes(o)}"
                )
            elif o.name == "aie.packet_rules":
                rules = [inner.operation(rule) for rule in o.inside if rule.name != "aie.end"]
                self._list("switchbox packet_rules", f"{tile} {inner.text(o.tokens)}", rules)
            elif o.name not in ("aie.amsel", "aie.end"):
                self._count(f"{kind} connect", f"{tile} {inner.operation(o)}")

    def _sequence(self, op: PrintedOp) -> None:
        inner = Scope(self.scope)
        symbol = next((token for token in op.tokens if token.startswith("@")), "@")
        args = split_commas(op.tokens[op.tokens.index("(") + 1 : -1])
        for i, part in enumerate(args):
            inner.names[part[0]] = f"argument{i}"
        self._list("sequence", f"{symbol} arguments", [" ".join(part[1:]) for part in args])
        self._list("sequence", f"{symbol} body", body_lines(op.regions[0], inner) if op.regions else [])

    def _other(self, op: PrintedOp) -> None:
        inner = Scope(self.scope)
        if not op.regions:
            self._count(op.name, inner.operation(op))
            return
        for token in op.tokens:  # arguments of a function-like operation
            if token.startswith("%") and inner.look_up(token) == token:
                inner.names[token] = f"argument{len(inner.names)}"
        lines = [line for region in op.regions for line in body_lines(region, Scope(inner))]
        self._list(op.name, inner.operation(op), lines)


def _module_facts(text: str, which: str) -> dict[str, Facts]:
    """The facts of every device of a module, by symbol."""
    devices: dict[str, Facts] = {}
    work = read(text, f"the {which} text")
    while work:
        op = work.pop(0)
        if op.name == "aie.device":
            symbol = next((token for token in op.tokens if token.startswith("@")), "@main")
            devices[symbol] = {"device kind": {op.tokens[1]: 1}, **_DeviceFacts(op).facts}
        else:
            work = op.inside + work
    if not devices:
        raise UserError(f"the {which} text has no aie.device")
    return devices


def _differences(a: dict[str, Facts], b: dict[str, Facts], ignore: tuple[str, ...]) -> Iterator[str]:
    for device in sorted(set(a) | set(b)):
        if device not in a or device not in b:
            yield f"device {device}: only in the {'first' if device in a else 'second'}"
            continue
        for section in sorted(set(a[device]) | set(b[device])):
            if section not in ignore:
                yield from _section_differences(
                    f"{device} {section}", a[device].get(section, {}), b[device].get(section, {})
                )


def _section_differences(where: str, a: dict[str, Fact], b: dict[str, Fact]) -> Iterator[str]:
    for key in [*a, *(key for key in b if key not in a)]:
        if key not in b:
            yield f"{where}: only in first: {_cut(key)}"
            continue
        if key not in a:
            yield f"{where}: only in second: {_cut(key)}"
            continue
        first, second = a[key], b[key]
        if first == second:
            continue
        if isinstance(first, int) or isinstance(second, int):
            yield f"{where}: {_cut(key)}: {first} times against {second} times"
            continue
        shorter = min(len(first), len(second))
        i = next((i for i in range(shorter) if first[i] != second[i]), shorter)
        p = first[i] if i < len(first) else "(nothing)"
        q = second[i] if i < len(second) else "(nothing)"
        yield (
            f"{where}: {_cut(key)}: item {i} of {len(first)}/{len(second)}:\n"
            f"    first : {_cut(p)}\n"
            f"    second: {_cut(q)}"
        )


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " ..."
