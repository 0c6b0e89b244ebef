"""The cores of an array that were started: of modules of WebAssembly, and of machine code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import PROGRAM_MEMORY_BYTES
from npuninja.arch.registers import PROGRAM_MEMORY
from npuninja.emulator import layout
from npuninja.emulator.array import Array
from npuninja.emulator.checks.regions import regions_of
from npuninja.emulator.cores import EmulatedCore, read_program
from npuninja.emulator.errors import InvalidAccess
from npuninja.emulator.faults import without_program
from npuninja.errors import ToolError, UserError
from npuninja.formats.core_image import STUB_BYTES, read_stub

if TYPE_CHECKING:
    from npuninja.emulator.machine_cores import MachineCore


class StartedCores:
    """Starts the cores whose programs lie in program memory.

    Args:
        array: they belong to.
        modules: of WebAssembly by sha256; a program that is the stub of one of them stands for it.
        checks: what is watched in every run.
        count_bundles: cores of machine code are interpreted and count how often each bundle is issued.

    Attributes:
        emulated, machine: the cores by tile.
        file: the name of the XCLBIN, for messages.
    """

    def __init__(
        self, array: Array, modules: Mapping[bytes, bytes], checks: frozenset[str], count_bundles: bool
    ) -> None:
        self._array = array
        self._modules = dict(modules)
        self._checks = checks
        self._count_bundles = count_bundles
        self.emulated: dict[int, EmulatedCore] = {}
        self.machine: dict[int, MachineCore] = {}
        self.file = ""

    def __contains__(self, tile: int) -> bool:
        return tile in self.emulated or tile in self.machine

    def forget(self, tile: int) -> None:
        """The tile has no core any more."""
        self.emulated.pop(tile, None)
        self.machine.pop(tile, None)
        self._array.call("set_core", tile, 0)

    def forget_all(self) -> None:
        """No tile has a core any more."""
        for tile in (*self.emulated, *self.machine):
            self.forget(tile)

    def start(self, tile: int, pieces: Sequence[tuple[int, bytes]]) -> None:
        """Starts a core.

        Args:
            tile: its number.
            pieces: (address, bytes) of its program memory.

        Raises:
            UserError: the module is missing, or is another core's.
            ToolError: the core has too much for the check of memory.
        """
        column, row = layout.tile_place(tile)
        start = layout.tile_engine_address(tile) + PROGRAM_MEMORY
        stub = read_stub(bytes(self._array.engine_memory(start, STUB_BYTES)))
        if stub is None:
            # 40 ms, and only cores of machine code need it.
            from npuninja.emulator.machine_cores import MachineCore

            machine_core = MachineCore(
                self._array, tile, pieces, translate=not self._count_bundles, checked=bool(self._checks),
                bounded="memory" in self._checks, file=self.file,
            )  # fmt: skip
            self._array.call("clear_regions", tile)
            self.machine[tile] = machine_core
            self._array.add_machine_core(tile, machine_core.step, machine_core.reset)
            return
        module = self._modules.get(stub.digest)
        if module is None:
            raise UserError(
                f"the module of core ({column}, {row}) is missing: "
                f"there is none with sha256 {stub.digest.hex()[:16]}…",
                hint="the PDI and the modules are from different builds; build the XCLBIN again",
            )
        program = read_program(module, self._array.device)
        if (program.info.column, program.info.row) != (column, row):
            raise UserError(
                f"core ({column}, {row}) was given the module of core ({program.info.column}, "
                f"{program.info.row})",
                hint="build the XCLBIN again",
            )
        core = EmulatedCore(self._array, program, checked=bool(self._checks))
        self._array.call("clear_regions", tile)
        if "memory" in self._checks:
            for region in regions_of(core.info):
                if not self._array.call("add_region", tile, region.start, region.end, region.kind):
                    raise ToolError(
                        f"core ({column}, {row}) has more buffers than the check of memory can follow"
                    )
        self.emulated[tile] = core
        self._array.add_core(tile, core.step)

    def start_wanted(self) -> None:
        """Starts the cores that the sequence or a control packet has enabled, from their program memories.

        Raises:
            InvalidAccess: there is no program, or none that can be started.
        """
        while (tile := self._array.call("take_wanted_core")) < layout.TILES:
            start = layout.tile_engine_address(tile) + PROGRAM_MEMORY
            program = bytes(self._array.engine_memory(start, PROGRAM_MEMORY_BYTES)).rstrip(b"\0")
            if not program:
                raise without_program(tile)
            self.forget(tile)
            try:
                self.start(tile, [(0, program + bytes(-len(program) % 16))])
            except UserError as error:
                raise InvalidAccess(error.message, hint=error.hint) from error

    def translate_busy(self) -> None:
        """Machine code that has run for long is translated."""
        for core in self.machine.values():
            core.translate_if_busy()
