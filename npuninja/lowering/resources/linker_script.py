"""The linker script of one core: where its program, its stack, its data and the buffers it can see lie.

Byte for byte what `aie-translate --aie-generate-ldscript` prints. Source: MLIR-AIE AIETargetLdScript.cpp.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import (
    DATA_WINDOW_BYTES,
    DATA_WINDOWS,
    DEFAULT_STACK_BYTES,
    TilePlace,
    memory_neighbours,
)
from npuninja.errors import UserError
from npuninja.ir.core import Operation
from npuninja.ir.types import size_bytes
from npuninja.lowering.generation import Rules
from npuninja.lowering.lookup import find_device
from npuninja.lowering.resources.link_files import linked_files
from npuninja.lowering.tiles import model_of, ops_of, place_of

if TYPE_CHECKING:
    from typing import Iterator

_HEAD = """
MEMORY
{{
   program (RX) : ORIGIN = 0, LENGTH = 0x0020000
   data (!RX) : ORIGIN = 0x{origin:X}, LENGTH = 0x{length:X}
}}
ENTRY(__start)
SECTIONS
{{
  . = 0x0;
  .text : {{
     /* the __start symbol has to come at address zero. */
     *crt0.o(.text*)
     _ctors_start = .;
     _init_array_start = .;
     KEEP(SORT(*.init_array))
     _ctors_end = .;
     _init_array_end = .;
     _dtors_start = .;
     _dtors_end = .;
     *(.text*)
  }} > program
  .data : {{
     *(.data*)
     *(.rodata*)
  }} > data
  .comment : {{
     *(.comment*)
  }}
  .symtab : {{
     *(.symtab)
  }}
  .shstrtab : {{
     *(.shstrtab)
  }}
  .strtab : {{
     *(.strtab)
  }}
  .stack_sizes : {{
     *(.stack_sizes)
  }}

"""


def core_at(device: Operation, place: TilePlace) -> Operation:
    """The `aie.core` of a tile. Raises UserError when there is none."""
    for core in ops_of(device, "aie.core"):
        if place_of(core.tile) == place:
            return core
    raise UserError(f"tile {place} of device @{device.string('sym_name', 'main')} has no core", device.loc)


class LinkerScripts:
    """The scripts of the cores of one device.

    Args:
        module: the module, after step 1.
        device: as in `find_device`.
        rules: of the generation.

    Raises:
        UserError: there is no such device, or buffers have no addresses yet.
    """

    def __init__(self, module: Operation, device: str, rules: Rules) -> None:
        self._device = find_device(module, device)
        self._rules = rules
        self._buffers = _buffers(self._device)
        self._tiles = {place_of(tile.result) for tile in ops_of(self._device, "aie.tile")}

    def script(self, place: TilePlace) -> str:
        """The script of the core of a tile. Raises UserError when there is none."""
        core = core_at(self._device, place)
        own = DATA_WINDOWS["own"]
        stack_bytes = core.integer("stack_size", DEFAULT_STACK_BYTES)
        taken = [
            (b.integer("address"), b.integer("address") + size_bytes(b.result.type))
            for b in self._buffers.get(place, ())
        ]
        if self._rules.data_in_largest_gap:
            origin, length = _largest_gap(stack_bytes, taken)
        else:  # after the stack and all buffers
            origin = max([stack_bytes, *(end for _, end in taken)])
            length = max(DATA_WINDOW_BYTES - origin, 0)
        lines = [f". = 0x{own:X};", "_sp_start_value_DM_stack = .;", f". += 0x{stack_bytes:X}; /* stack */"]
        lines += self._windows(place)
        lines += ["  .bss : { *(.bss*) } > data", "}"]
        lines += [f"INPUT({name})" for name in linked_files(core)]
        lines.append(f"PROVIDE(main = core_{place[0]}_{place[1]});")
        head = _HEAD.format(origin=own + origin, length=length)
        return head + "\n".join(lines) + "\n"

    def _windows(self, place: TilePlace) -> Iterator[str]:
        """The buffers in the four windows of a core's address space, or that one has no memory after it."""
        neighbours = memory_neighbours(model_of(self._device), place)
        for window, base in DATA_WINDOWS.items():
            owner = neighbours.get(window)
            if owner is None:
                yield f"/* No tile with memory exists to the {window}. */"
                yield f". = 0x{base:X};"
                yield f". += 0x{DATA_WINDOW_BYTES:X};"
            elif owner in self._tiles:
                for buffer in self._buffers.get(owner, ()):
                    yield f". = 0x{base + buffer.integer('address'):X};"
                    yield f"{buffer.string('sym_name')} = .;"
                    yield f". += 0x{size_bytes(buffer.result.type):X};"


def _buffers(device: Operation) -> dict[TilePlace, list[Operation]]:
    """The buffers of each tile, in order. Raises UserError when one has no address."""
    found: dict[TilePlace, list[Operation]] = {}
    for op in ops_of(device, "aie.buffer"):
        if "address" not in op.attributes:
            raise UserError(f"buffer '{op.result.name}' has no address", op.loc, hint="lower resources first")
        found.setdefault(place_of(op.tile), []).append(op)
    return found


def _largest_gap(stack_bytes: int, taken: list[tuple[int, int]]) -> tuple[int, int]:
    """Start and length of the largest part of the memory without stack and buffers, the first of several."""
    best = (stack_bytes, 0)
    start = stack_bytes
    for begin, end in [*sorted(taken), (DATA_WINDOW_BYTES, DATA_WINDOW_BYTES)]:
        if begin - start > best[1]:
            best = (start, begin - start)
        start = max(start, end)
    return best
