"""The translator: machine code to WebAssembly, one function a block.

A block is keyed by its address and what is in flight there (its *shape*): delayed results are resolved here,
not at run time. Within a block registers are local variables; between blocks they lie in the runtime's bank,
what is in flight in its ring, by the cycle when it is due. A block returns the next one's number or a status.

Memory is accessed when an access is issued, and not four cycles later: loads and stores keep their order,
part-word stores are four cycles early alike. Where a block has no successor here (a computed jump to an
unknown place, an instruction that is interpreted only) the interpreter gets what is in flight, goes on, and
gives control back when nothing is in flight. So the interpreter is the judge and the fallback.
"""

from __future__ import annotations

from npuninja.machine_code import wasm_writer as w
from npuninja.machine_code.core_runtime import MEMORY_BYTES, RuntimeAddresses
from npuninja.machine_code.families.fields import Fields
from npuninja.machine_code.flow import ControlFlow, analyse
from npuninja.machine_code.prepare import Prepared, PreparedBundle
from npuninja.machine_code.translator.block import TranslatedBlock
from npuninja.machine_code.translator.in_flight import (
    CARRY,
    IMPORTS,
    LE,
    InFlightShape,
    JumpInFlight,
    is_translatable,
)
from npuninja.machine_code.wasm_writer import WrittenFunction, constant, write_module
from npuninja.records import NamedTuple

#: Bumped when the same program gives another module.
VERSION = 7
_MAX_SHAPES = 24  # of one address
_MAX_BLOCKS = 6000


class Translation(NamedTuple):
    """A translated program: the module, the block at each address where nothing is in flight, and for each
    lookup table the blocks that computed jumps lead to, by address.
    """

    module: bytes
    entries: dict[int, int]
    lookups: list[dict[int, int]]
    blocks: int


class Translator:
    """Translates one program for a runtime."""

    def __init__(self, prepared: Prepared, addresses: RuntimeAddresses) -> None:
        self.program = prepared.by_address
        self.addresses = addresses
        self.bank = addresses.layout.bank
        self.bypass = addresses.layout.bypass_bank
        self.flow: ControlFlow = analyse([p.bundle for _, p in sorted(self.program.items())])
        self.fields_at: dict[int, Fields] = {
            at: fields for p in self.program.values() for at, fields in p.operations
        }
        self.loop_ends = _loop_ends(self.program)
        self.loop_starts = {loop.end: loop.start for loop in self.flow.loops.values()}
        self.carry_is_read = any(
            f.op in ("OP_ADC", "OP_SBC") or self.bank + CARRY in (f.a, f.b) for f in self.fields_at.values()
        )
        self._numbers: dict[tuple[int, InFlightShape, JumpInFlight | None], int] = {}
        self._shapes_at: dict[int, int] = {}
        self._queue: list[tuple[int, InFlightShape, JumpInFlight | None]] = []
        self._lookup_numbers: dict[InFlightShape, int] = {}
        self._wanted: list[tuple[InFlightShape, int]] = []
        self.return_sites = _return_sites(self.flow)

    def block(self, address: int, shape: InFlightShape, jump: JumpInFlight | None = None) -> int:
        """The number of a block; 0 when there shall be none, and the interpreter goes on."""
        key = (address, shape, jump)
        found = self._numbers.get(key)
        if found is not None:
            return found
        entry = self.program.get(address)
        if entry is None or not is_translatable(entry):
            return 0
        count = self._shapes_at.get(address, 0)
        if (count >= _MAX_SHAPES and shape) or len(self._numbers) >= _MAX_BLOCKS:
            return 0
        self._shapes_at[address] = count + 1
        number = self._numbers[key] = len(self._numbers) + 1
        self._queue.append(key)
        return number

    def lookup(self, shape: InFlightShape) -> int:
        """The number of the lookup table of a shape, -1 when there are too many."""
        found = self._lookup_numbers.get(shape)
        if found is None:
            if len(self._lookup_numbers) >= self.addresses.max_lookups:
                return -1
            found = self._lookup_numbers[shape] = len(self._lookup_numbers)
        return found

    def translate(self) -> Translation:
        """Translates everything that is reachable from the start."""
        self.block(0, ())
        for address in sorted(
            set(self.flow.calls) | {b.after for b in self.flow.branches.values() if b.after}
        ):
            self.block(address, ())
        for branch in self.flow.branches.values():
            if branch.target is not None:
                self.block(branch.target, ())
        for address, entry in sorted(self.program.items()):
            if entry.blocks or entry.waits_for_port:
                self.block(address, ())
        functions: list[tuple[int, bytes]] = []
        while self._queue:
            functions.append((0, TranslatedBlock(self, *self._queue.pop(0)).build()))
        lookups: list[dict[int, int]] = [{} for _ in self._lookup_numbers]
        for (address, shape, jump), number in self._numbers.items():
            if jump is None and shape in self._lookup_numbers:
                lookups[self._lookup_numbers[shape]][address] = number
        entries = {
            at: number for (at, shape, jump), number in self._numbers.items() if not shape and jump is None
        }
        return Translation(self._module(functions), entries, lookups, len(functions))

    def _module(self, functions: list[tuple[int, bytes]]) -> bytes:
        types = list(dict.fromkeys([(0, 1), (1, 1), *IMPORTS.values()]))
        first = len(IMPORTS)
        driver = WrittenFunction(parameters=1)
        driver.put(b"\x03\x40", 0, b"\x11\0\0")  # loop, call_indirect
        driver.set(0)
        driver.put((w.GT_S, 0, constant(0)), b"\x0d\0")  # br_if
        driver.end()
        driver.put((w.SUB, constant(0), 0))
        return write_module(
            types,
            [(name, types.index(kind)) for name, kind in IMPORTS.items()],
            MEMORY_BYTES // 65536,
            [*functions, (types.index((1, 1)), driver.body())],
            {"run": first + len(functions)},
            range(first, first + len(functions)),
        )


def _loop_ends(program: dict[int, PreparedBundle]) -> set[int]:
    """Every constant that is ever put into `le`."""
    return {
        f.imm & 0xFFFFF
        for p in program.values()
        for _, f in p.operations
        if f.op == "OP_MOV" and f.dst == LE and f.a == f.imm_at
    }


def _return_sites(flow: ControlFlow) -> dict[int, set[int]]:
    """By the address of a return: where it may lead, from the calls of the functions it belongs to."""
    sites: dict[int, set[int]] = {}
    callers: dict[int, set[int]] = {}
    for call in flow.branches.values():
        if call.is_call and call.target is not None and call.after is not None:
            callers.setdefault(call.target, set()).add(call.after)
    for entry, after in callers.items():
        for address in _returns_from(entry, flow):
            sites.setdefault(address, set()).update(after)
    return sites


def _returns_from(entry: int, flow: ControlFlow) -> set[int]:
    """The addresses of the returns to which a function comes."""
    seen: set[int] = set()
    pending = [entry]
    while pending:
        address = pending.pop()
        while address in flow.bundles and address not in seen:
            seen.add(address)
            branch = flow.branches.get(address)
            if branch is not None:
                goes_on = branch.mnemonic not in ("j", "ret lr")
                pending += [branch.target] if branch.target is not None and not branch.is_call else []
                pending += [branch.after] if branch.after is not None and goes_on else []
                break
            if address in flow.loops:
                pending.append(flow.loops[address].start)
            address = flow.bundles[address].end
    return {at for at in seen if at in flow.branches and flow.branches[at].mnemonic == "ret lr"}
