"""The tiles' memory in a built design: program, stack, buffers, kernels' data, what is left.

The reference linker script allows eight times the program memory there is, and nothing compares stacks with
stack_size; here both are figures to look at before they become failures.
"""

from __future__ import annotations

import os
from typing import Sequence

from npuninja.arch.devices import (
    DATA_START,
    DATA_WINDOWS,
    DEFAULT_STACK_BYTES,
    PROGRAM_MEMORY_BYTES,
    DeviceModel,
    TilePlace,
    advised_stack_bytes,
)
from npuninja.errors import Location, UserError
from npuninja.files import MAX_XCLBIN_BYTES, read_file
from npuninja.formats.core_image import read_core_image
from npuninja.formats.elf import Elf, read_elf
from npuninja.formats.wasm_code import functions
from npuninja.formats.wasm_module import read_wasm
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.types import size_bytes
from npuninja.lints.core_program import NEARLY_FULL, largest_frame
from npuninja.lints.kernel_code import read_functions
from npuninja.lints.program_size import ProgramSize, estimate
from npuninja.lints.stack_frames import stack_need
from npuninja.lowering.tiles import model_of, ops_of, place_of
from npuninja.machine_code.functions import functions_of
from npuninja.records import NamedTuple

LOWERED = "input_with_addresses.mlir"


class TileMemory(NamedTuple):
    """What one tile's memory holds, in bytes.

    Attributes:
        tile: (column, row).
        kind: of the tile: `shim`, `mem` or `core`.
        program: of the core's program; None without a core, or when it is a wasm module, which lies outside.
        stack: the core's stack_size; 0 without a core.
        stack_need: what the program takes of it at least; None when that is not known.
        buffers: of all buffers.
        data: of the kernels' variables and tables.
        end: where the last of them ends. Only what is after it can take more of the kernels' data: buffers
            that are spread over the banks leave gaps.
        limit: of the memory.
        program_estimate: what the program of a wasm core would take on an NPU.
    """

    tile: TilePlace
    kind: str
    program: int | None
    stack: int
    stack_need: int | None
    buffers: int
    data: int
    end: int
    limit: int
    program_estimate: ProgramSize | None = None
    device: str = ""

    @property
    def used(self) -> int:
        """The bytes of stack, buffers and the kernels' data together."""
        return self.stack + self.buffers + self.data

    def problems(self) -> list[str]:
        """What does not fit, or barely fits."""
        found = []
        if self.program is not None and self.program > NEARLY_FULL * PROGRAM_MEMORY_BYTES:
            found.append(f"the program takes {self.program} of {PROGRAM_MEMORY_BYTES} bytes")
        size = self.program_estimate
        if size is not None and size.middle_bytes > PROGRAM_MEMORY_BYTES:
            found.append(
                f"the program would take about {size} on an NPU (estimated), and there are "
                f"{PROGRAM_MEMORY_BYTES // 1024} KiB"
            )
        if self.end > NEARLY_FULL * self.limit:
            found.append(f"data memory is taken up to byte {self.end} of {self.limit}")
        if self.stack_need is not None and self.stack_need > NEARLY_FULL * self.stack:
            found.append(
                f"{self.stack_need} of {self.stack} bytes of stack are needed, or more: set "
                f"stack_size = {advised_stack_bytes(self.stack_need)}"
            )
        return found


def measure(folder: str) -> list[TileMemory]:
    """The tiles of the design that was built in `folder`, by column, then row.

    Raises:
        UserError: there is no lowered design, or the program of one of its cores is missing or damaged.
    """
    path = os.path.join(folder, LOWERED)
    hint = "give the folder of a built design, as build/npu1_1col/wasm/passthrough"
    text = read_file(path, MAX_XCLBIN_BYTES, hint=hint).decode("utf-8")
    found = []
    devices = list(ops_of(parse_module(text, path), "aie.device"))
    for device in devices:
        symbol = device.string("sym_name", "main")
        cores = {place_of(core.tile): core for core in ops_of(device, "aie.core")}
        buffers: dict[TilePlace, list[Operation]] = {}
        for buffer in ops_of(device, "aie.buffer"):
            buffers.setdefault(place_of(buffer.tile), []).append(buffer)
        model = model_of(device)
        for place in sorted({*cores, *buffers}):
            prefix = f"{symbol}." if len(devices) > 1 else ""
            found.append(_tile(folder, prefix, place, cores.get(place), buffers.get(place, []), model))
    return found


def _tile(
    folder: str,
    prefix: str,
    place: TilePlace,
    core: Operation | None,
    buffers: Sequence[Operation],
    model: DeviceModel,
) -> TileMemory:
    """`prefix` is what the files of its device begin with."""
    stack = core.integer("stack_size", DEFAULT_STACK_BYTES) if core else 0
    sizes = [size_bytes(buffer.result.type) for buffer in buffers]
    end = max([stack, *(b.integer("address", 0) + size for b, size in zip(buffers, sizes))])
    program, need, data, estimated = None, None, 0, None
    if core is not None:
        program, need, data_end, estimated = _program(folder, prefix, place, model.architecture)
        data = max(data_end - end, 0)
        end = max(end, data_end)
    kind = model.kind_of(place[1])
    return TileMemory(
        tile=place,
        kind=kind.name,
        program=program,
        stack=stack,
        stack_need=need,
        buffers=sum(sizes),
        data=data,
        end=end,
        limit=kind.memory_bytes,
        program_estimate=estimated,
        device=prefix.rstrip("."),
    )


def _program(
    folder: str, prefix: str, place: TilePlace, architecture: str
) -> tuple[int | None, int | None, int, ProgramSize | None]:
    """Bytes of program memory, of stack, and the end of the data after the buffers, from the core's own
    memory on; and the estimate of the program memory for a wasm core.
    """
    column, row = place
    own = DATA_WINDOWS["own"]
    for suffix in (".elf", ".wasm"):
        path = os.path.join(folder, f"{prefix}core_{column}_{row}{suffix}")
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as stream:
            data = stream.read()
        image = read_core_image(data, architecture, path)
        ends = [
            segment.address + segment.memory_bytes - own for segment in image.data if segment.address >= own
        ]
        if image.info is not None:
            wasm_end = max([image.info.data_end - own, 0])
            estimated = estimate(functions(read_wasm(data, path)))
            return None, _wasm_stack(data, path, image.info.entry), wasm_end, estimated
        elf = read_elf(data, path)
        program = sum(s.memory_bytes for s in elf.segments if s.address < DATA_START)
        return program, _machine_stack(data, elf, path), max([0, *ends]), None
    raise UserError(
        f"the program of core {place} is not built", Location(os.path.join(folder, LOWERED)), hint="run ninja"
    )


def _machine_stack(data: bytes, elf: Elf, path: str) -> int | None:
    """The stack of machine code by its calls, from the start on; the largest frame if they are unknown."""
    try:
        for function in functions_of(data, path):
            if function.start == 0 and function.stack_bytes is not None:
                return function.stack_bytes
    except UserError:
        pass  # AIE2P, or code that another tool wrote in a way we do not read; its frames may still be noted
    return largest_frame(elf)


def _wasm_stack(data: bytes, path: str, entry: str) -> int | None:
    module = read_wasm(data, path)
    names = {code.number: f"function {code.number}" for code in functions(module)}
    names.update({export.number: export.name for export in module.exports if export.kind == "function"})
    need = stack_need(entry, [read_functions(module, names, path)])
    return need.stack_bytes if need and need.circle is None else None
