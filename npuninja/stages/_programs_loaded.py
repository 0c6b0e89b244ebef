"""Do the commands of a device image load the cores' programs? Every byte of every image is looked up.

A design whose image lacks a program runs to completion and returns zeros; no tool says so.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DATA_WINDOW_BYTES, DATA_WINDOWS, DeviceModel, TilePlace, memory_neighbours
from npuninja.arch.registers import PROGRAM_MEMORY, tile_address
from npuninja.errors import Location, ToolError
from npuninja.formats.cdo import BlockWrite, Command, Fill, MaskWrite, Write
from npuninja.formats.core_image import CoreImage

if TYPE_CHECKING:
    from typing import Iterable, Iterator, Mapping


def check_loaded(
    commands: Iterable[Command], images: Mapping[TilePlace, CoreImage], model: DeviceModel, path: str
) -> int:
    """Looks for every loaded byte of `images` in what the commands write; returns how many bytes that is.

    Raises:
        ToolError: bytes are missing or others; says of which core and where.
    """
    memory = _LoadedMemory(commands)
    total = 0
    for place in sorted(images):
        for address, data in _pieces(images[place], place, model):
            loaded = memory.read(address, len(data))
            wrong = next((i for i, byte in enumerate(data) if loaded[i] != byte), None)
            if wrong is not None:
                missing = sum(1 for byte in loaded if byte is None)
                what = (
                    f"{missing} of them are not loaded at all"
                    if missing
                    else f"the one at 0x{address + wrong:x} differs"
                )
                raise ToolError(
                    f"the device image does not load the program of core {place}: of {len(data)} bytes at"
                    f" 0x{address:x}, {what}",
                    Location(path),
                    hint="the CDO file with the programs must be among its inputs, and of the same build; "
                    "run `npuninja inspect` on both",
                )
            total += len(data)
    return total


def _pieces(image: CoreImage, place: TilePlace, model: DeviceModel) -> Iterator[tuple[int, bytes]]:
    """The loaded bytes of an image with their array addresses."""
    for offset, data in image.program:
        yield tile_address(*place, PROGRAM_MEMORY + offset), data
    neighbours = memory_neighbours(model, place)
    for segment in image.data:
        for window, base in DATA_WINDOWS.items():
            start = max(segment.address, base)
            part = segment.data[start - segment.address : base + DATA_WINDOW_BYTES - segment.address]
            if start < base + DATA_WINDOW_BYTES and part and window in neighbours:
                yield tile_address(*neighbours[window], start - base), part


class _LoadedMemory:
    """What a sequence of commands leaves behind, word by word."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._bytes: dict[int, int] = {}
        for command in commands:
            if isinstance(command, Write):
                self._store(command.address, command.value.to_bytes(4, "little"))
            elif isinstance(command, MaskWrite):
                self._store_masked(command.address, command.mask, command.value)
            elif isinstance(command, BlockWrite):
                self._store(command.address, command.data)
            elif isinstance(command, Fill):
                self._store(command.address, command.value.to_bytes(4, "little") * command.words)

    def _store(self, address: int, data: bytes) -> None:
        self._bytes.update(zip(range(address, address + len(data)), data))

    def _store_masked(self, address: int, mask: int, value: int) -> None:
        for i in range(4):
            if mask >> 8 * i & 0xFF == 0xFF:
                self._bytes[address + i] = value >> 8 * i & 0xFF

    def read(self, address: int, size: int) -> list[int | None]:
        """The bytes at an address; None where nothing was written."""
        return [self._bytes.get(i) for i in range(address, address + size)]
