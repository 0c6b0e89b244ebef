"""Programs in printed MLIR, free of spelling: bodies of cores and sequences as lists of operations, DMA
programs as graphs of buffer descriptors.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.mlir_lines import PrintedBlock, PrintedOp
from npuninja.errors import UserError


class Scope:
    """What the value names mean that are visible at a place."""

    def __init__(self, outer: Scope | None = None) -> None:
        self.outer = outer
        self.names: dict[str, str] = {}

    def look_up(self, name: str) -> str:
        """What a value stands for; the name itself where nothing is known of it."""
        scope: Scope | None = self
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


def constant(op: PrintedOp) -> str:
    """What a constant's value stands for."""
    return "const(" + " ".join(op.tokens) + ")"


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
            for label in _labels(op):
                if label not in by_label:
                    raise UserError(f"line {op.line}: unknown block {label}")
                work.append(by_label[label])
    return order + [block for block in blocks if block not in order and (block.ops or block.label)]


class _FlatRegion:
    """A region as a flat list of canonical operations."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._values = 0

    def region(self, blocks: list[PrintedBlock], scope: Scope, depth: int) -> None:
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

    def operation(self, op: PrintedOp, scope: Scope, labels: dict[str, str], depth: int) -> None:
        """Adds one operation with its regions."""
        if op.name == "arith.constant":
            scope.names[op.results[0]] = constant(op)
            return
        if op.name == "memref.get_global":
            scope.names[op.results[0]] = scope.look_up("@global " + op.tokens[0])
            return
        inner = Scope(scope)
        if op.name == "scf.for":  # scf.for %i = %lo to %hi step %s
            inner.names[op.tokens[0]] = f"iv{depth}"
        line = "  " * depth + inner.operation(op, labels)
        for result in op.results:
            scope.names[result] = f"v{self._values}"
            self._values += 1
        self.lines.append(line + (f" -> {', '.join(map(scope.look_up, op.results))}" if op.results else ""))
        for blocks in op.regions:
            self.region(blocks, Scope(inner), depth + 1)


def body_lines(blocks: list[PrintedBlock], scope: Scope) -> list[str]:
    """A region as a flat list of canonical operations."""
    body = _FlatRegion()
    body.region(blocks, scope, 0)
    return body.lines


def dma_program(blocks: list[PrintedBlock], scope: Scope) -> tuple[dict[str, list[str]], list[str]]:
    """{direction:channel: header, BDs …, end} and the order of the starts."""
    by_label = {block.label: block for block in blocks if block.label}
    scope = Scope(scope)
    for op in (op for block in blocks for op in block.ops if op.name == "arith.constant"):
        scope.names[op.results[0]] = constant(op)
    programs: dict[str, list[str]] = {}
    order: list[str] = []
    for op in _starts(blocks[0], by_label):
        if op.name == "aie.dma":
            programs[scope.operation(op)] = [
                line for region in op.regions for line in body_lines(region, Scope(scope))
            ]
            continue
        direction, channel, *rest = (token for token in op.tokens if token not in "(),")
        key = f"{direction}:{channel}"
        order.append(key)
        first = by_label.get(_labels(op)[0])
        extra = " ".join(token for token in rest if not token.startswith("^"))
        chain = [f"start {extra} {scope.attributes(op)}", *_bd_chain(first, by_label, scope)]
        programs[key if key not in programs else f"{key} (again, {order.count(key)})"] = chain
    return programs, order


def _labels(op: PrintedOp) -> list[str]:
    return [token for token in op.tokens if token.startswith("^")]


def _starts(block: PrintedBlock, by_label: dict[str, PrintedBlock]) -> Iterator[PrintedOp]:
    """The channels' starts, along the chain that the second block of each names."""
    work, seen = [block], []
    while work:
        block = work.pop(0)
        if block in seen:
            continue
        seen.append(block)
        for op in block.ops:
            if op.name in ("aie.dma_start", "aie.dma"):
                yield op
            if op.name == "aie.dma_start":
                work += [by_label[label] for label in _labels(op)[1:2]]


def _bd_chain(block: PrintedBlock | None, by_label: dict[str, PrintedBlock], scope: Scope) -> list[str]:
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
                following = by_label[_labels(op)[0]]
            elif op.name in ("aie.end", "aie.dma_start"):
                if not ops:
                    return [*chain, "end"]
                ops.append("end" if op.name == "aie.end" else "start")
            elif op.name != "arith.constant":
                ops.append(scope.operation(op))
        chain.append(" ; ".join(ops))
        block = following
    return chain
