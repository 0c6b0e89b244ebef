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
from conformance.mlir_lines import PrintedBlock, PrintedOp, read, split_commas
from npuninja.errors import UserError

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


class _Scope:
    """What the value names mean that are visible at a place."""

    def __init__(self, outer: _Scope | None = None) -> None:
        self.outer = outer
        self.names: dict[str, str] = {}

    def look_up(self, name: str) -> str:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return name

    def text(self, tokens: list[str], labels: dict[str, str] | None = None) -> str:
        """The tokens with values and block names replaced."""
        found = []
        for token in tokens:
            if token.startswith("%"):
                token = self.look_up(token)
            elif token.startswith("^"):
                token = (labels or {}).get(token, token)
            found.append(token)
        return " ".join(found)

    def attributes(self, op: PrintedOp, skip: tuple[str, ...] = ()) -> str:
        """The attributes of an operation, sorted."""
        return (
            "{"
            + ", ".join(f"{k}={self.text(v)}" for k, v in sorted(op.attributes.items()) if k not in skip)
            + "}"
        )

    def operation(self, op: PrintedOp, labels: dict[str, str] | None = None) -> str:
        """The whole operation without its regions."""
        return f"{op.name} {self.text(op.tokens, labels)} {self.attributes(op)}"


def _constant(op: PrintedOp) -> str:
    return "const(" + " ".join(op.tokens) + ")"


# ------------------------------------------------------------------ bodies of cores and sequences


def _block_order(blocks: list[PrintedBlock]) -> list[PrintedBlock]:
    """The entry first, then blocks in the order in which they are first mentioned; the others last."""
    by_label = {block.label: block for block in blocks if block.label}
    order: list[PrintedBlock] = []
    work = [blocks[0]]
    while work:
        block = work.pop(0)
        if block in order:
            continue
        order.append(block)
        for op in block.ops:
            for token in op.tokens:
                if token.startswith("^"):
                    if token not in by_label:
                        raise UserError(f"line {op.line}: unknown block {token}")
                    work.append(by_label[token])
    return order + [block for block in blocks if block not in order and (block.ops or block.label)]


class _Body:
    """A region as a flat list of canonical operations."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._values = 0

    def region(self, blocks: list[PrintedBlock], scope: _Scope, depth: int) -> None:
        """Adds a region. Block headers are kept, label names are not."""
        order, indent = _block_order(blocks), "  " * depth
        labels = {block.label: f"^{i}" for i, block in enumerate(order) if block.label}
        for i, block in enumerate(order):
            for j, arg in enumerate(block.args):
                scope.names[arg] = f"arg{depth}.{i}.{j}"
        for i, block in enumerate(order):
            if i:
                self.lines.append(f"{indent}^{i} with {len(block.args)} arguments:")
            for op in block.ops:
                self.operation(op, scope, labels, depth)

    def operation(self, op: PrintedOp, scope: _Scope, labels: dict[str, str], depth: int) -> None:
        """Adds one operation with its regions."""
        if op.name == "arith.constant":
            scope.names[op.results[0]] = _constant(op)
            return
        if op.name == "memref.get_global":
            scope.names[op.results[0]] = scope.look_up("@global " + op.tokens[0])
            return
        inner = _Scope(scope)
        if op.name == "scf.for":  # scf.for %i = %lo to %hi step %s
            inner.names[op.tokens[0]] = f"iv{depth}"
        line = "  " * depth + inner.operation(op, labels)
        for result in op.results:
            scope.names[result] = f"v{self._values}"
            self._values += 1
        self.lines.append(line + (f" -> {', '.join(map(scope.look_up, op.results))}" if op.results else ""))
        for blocks in op.regions:
            self.region(blocks, _Scope(inner), depth + 1)


def _body_lines(blocks: list[PrintedBlock], scope: _Scope) -> list[str]:
    body = _Body()
    body.region(blocks, scope, 0)
    return body.lines


# ------------------------------------------------------------------ DMA programs


def _dma_program(blocks: list[PrintedBlock], scope: _Scope) -> tuple[dict[str, list[str]], list[str]]:
    """{direction:channel: header, BDs …, end} and the order of the starts."""
    by_label = {block.label: block for block in blocks if block.label}
    scope = _Scope(scope)
    for block in blocks:
        for op in block.ops:
            if op.name == "arith.constant":
                scope.names[op.results[0]] = _constant(op)
    starts: list[PrintedOp] = []
    work, seen = [blocks[0]], []
    while work:  # follow the chain of starts
        block = work.pop(0)
        if block in seen:
            continue
        seen.append(block)
        for op in block.ops:
            if op.name in ("aie.dma_start", "aie.dma"):
                starts.append(op)
            if op.name == "aie.dma_start":
                labels = [token for token in op.tokens if token.startswith("^")]
                work += [by_label[label] for label in labels[1:2]]
    programs: dict[str, list[str]] = {}
    order: list[str] = []
    for op in starts:
        if op.name == "aie.dma":
            programs[scope.operation(op)] = [
                line for region in op.regions for line in _body_lines(region, _Scope(scope))
            ]
            continue
        head = [token for token in op.tokens if token not in "(),"]
        key = f"{head[0]}:{head[1]}"
        order.append(key)
        labels = [token for token in head if token.startswith("^")]
        extra = " ".join(token for token in head[2:] if not token.startswith("^"))
        chain = [
            f"start {extra} {scope.attributes(op)}",
            *_bd_chain(by_label.get(labels[0]), by_label, scope),
        ]
        programs[key if key not in programs else f"{key} (again, {order.count(key)})"] = chain
    return programs, order


def _bd_chain(block: PrintedBlock | None, by_label: dict[str, PrintedBlock], scope: _Scope) -> list[str]:
    """The blocks of one channel, until the end or until the chain meets itself."""
    chain: list[str] = []
    met: list[PrintedBlock] = []
    while block is not None:
        if block in met:
            return [*chain, f"loop to {met.index(block)}"]
        met.append(block)
        following: PrintedBlock | None = None
        ops: list[str] = []
        for op in block.ops:
            if op.name == "aie.next_bd":
                following = by_label[next(token for token in op.tokens if token.startswith("^"))]
            elif op.name in ("aie.end", "aie.dma_start"):
                if not ops:
                    return [*chain, "end"]
                ops.append("end" if op.name == "aie.end" else "start")
            elif op.name != "arith.constant":
                ops.append(scope.operation(op))
        chain.append(" ; ".join(ops))
        block = following
    return chain


# ------------------------------------------------------------------ devices


_DMA_REGIONS = ("aie.mem", "aie.memtile_dma", "aie.shim_dma")


def _taken_out(region_op: PrintedOp) -> list[PrintedOp]:
    """The buffers and locks that stand in a DMA's region, no longer in it: they are the tile's all the same."""
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
        self.scope = _Scope()
        ops = [op for region in device.regions for block in region for op in block.ops]
        ops += [inner for op in ops if op.name in _DMA_REGIONS for inner in _taken_out(op)]
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
            self.scope.names[op.results[0]] = _constant(op)
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
        scope, name = self.scope, op.name
        if name in ("aie.wire", "arith.constant", "aie.end"):
            return
        if name == "aie.tile":
            self._count("tile", scope.look_up(op.results[0]) + " " + scope.attributes(op))
        elif name == "aie.lock":
            self._count(
                "lock", scope.look_up(op.results[0]) + " " + scope.attributes(op, ("init", "sym_name"))
            )
        elif name == "aie.buffer":
            initial = " ".join(canonical_values(op.tokens)).partition(" = ")[2]
            key = scope.look_up(op.results[0]) + " " + scope.attributes(op, ("address", "sym_name"))
            self._count("buffer", key + (" = " + initial if initial else ""))
        elif name in ("aie.switchbox", "aie.shim_mux"):
            self._switch(op)
        elif name in _DMA_REGIONS:
            tile = scope.look_up(op.tokens[1])
            programs, order = _dma_program(op.regions[0], scope)
            for channel, chain in programs.items():
                self._list("dma", f"{name[4:]} {tile} {channel}", chain)
            self._list("dma start order", f"{name[4:]} {tile}", order)
        elif name == "aie.core":
            tile = scope.look_up(op.tokens[1])
            self._list("core", f"{tile} attributes", [scope.attributes(op)])
            self._list("core", f"{tile} body", _body_lines(op.regions[0], _Scope(scope)))
        elif name.endswith(".runtime_sequence"):
            self._sequence(op)
        elif name == "aie.packet_flow":
            inside = [
                o for region in op.regions for block in region for o in block.ops if o.name != "aie.end"
            ]
            ends = sorted(scope.operation(end) for end in inside)
            self._count("packet_flow", f"{scope.text(op.tokens)} {scope.attributes(op)} {ends}")
        elif name == "memref.global":
            if '"private"' not in op.tokens and "private" not in op.tokens:
                self._count("memref.global", scope.operation(op))
        else:
            self._other(op)

    def _switch(self, op: PrintedOp) -> None:
        tile, kind = self.scope.look_up(op.tokens[1]), op.name[4:]
        inner = _Scope(self.scope)
        ops = [o for block in op.regions[0] for o in block.ops]
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
                rules = [
                    r for region in o.regions for block in region for r in block.ops if r.name != "aie.end"
                ]
                self._list(
                    "switchbox packet_rules",
                    f"{tile} {inner.text(o.tokens)}",
                    [inner.operation(r) for r in rules],
                )
            elif o.name not in ("aie.amsel", "aie.end"):
                self._count(f"{kind} connect", f"{tile} {inner.operation(o)}")

    def _sequence(self, op: PrintedOp) -> None:
        inner = _Scope(self.scope)
        symbol = next((token for token in op.tokens if token.startswith("@")), "@")
        args = split_commas(op.tokens[op.tokens.index("(") + 1 : -1])
        for i, part in enumerate(args):
            inner.names[part[0]] = f"argument{i}"
        self._list("sequence", f"{symbol} arguments", [" ".join(part[1:]) for part in args])
        self._list("sequence", f"{symbol} body", _body_lines(op.regions[0], inner) if op.regions else [])

    def _other(self, op: PrintedOp) -> None:
        inner = _Scope(self.scope)
        if not op.regions:
            self._count(op.name, inner.operation(op))
            return
        for token in op.tokens:  # arguments of a function-like operation
            if token.startswith("%") and inner.look_up(token) == token:
                inner.names[token] = f"argument{len(inner.names)}"
        lines = [line for region in op.regions for line in _body_lines(region, _Scope(inner))]
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
            work = [o for region in op.regions for block in region for o in block.ops] + work
    if not devices:
        raise UserError(f"the {which} text has no aie.device")
    return devices


# ------------------------------------------------------------------ differences


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
        yield f"{where}: {_cut(key)}: item {i} of {len(first)}/{len(second)}:\n    first : {_cut(p)}\n    second: {_cut(q)}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " ..."
