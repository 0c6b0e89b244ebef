"""Every register of a tile by name: offset, width, access, reset value and fields (`aie2_registers.txt`).

Source: AM025 as data in MLIR-AIE's aie_registers_aie2.json. A `[module]` heads its rows; a row is

    NAME OFFSET WIDTH ACCESS RESET FIELD[HIGH:LOW] …

with widths in bits and offsets in bytes from the tile's start. `{0..5:0x20}` in a name are six registers,
each 0x20 bytes after the one before.
"""

from __future__ import annotations

import re
from itertools import product

from npuninja.records import NamedTuple

_RUN = re.compile(r"\{(\d+)\.\.(\d+):(0x[0-9a-f]+)\}")


class RegisterField(NamedTuple):
    """Bits of a register, as AM025 writes them: `7:0`, or `3` for a single one."""

    name: str
    bits: str

    @property
    def mask(self) -> int:
        """The field's bits in the register."""
        high, _, low = self.bits.partition(":")
        first = int(low or high)
        return ((1 << int(high) - first + 1) - 1) << first

    def value(self, word: int) -> int:
        """The number in the field."""
        return (word & self.mask) >> int(self.bits.rpartition(":")[2])


class TileRegister(NamedTuple):
    """A register: offset in its tile in bytes, access `rw`, `ro`, `wo`, `wtc` (a 1 clears) or `mixed`."""

    name: str
    offset: int
    width_bits: int
    access: str
    reset: int
    fields: tuple[RegisterField, ...]


def _rows(line: str) -> list[TileRegister]:
    name, offset, width, access, reset, *rest = line.split()
    fields = tuple(RegisterField(*text[:-1].split("[")) for text in rest)
    texts = _RUN.split(name)
    fixed = texts[::4]
    runs = [
        [(str(n), (n - int(low)) * int(step, 16)) for n in range(int(low), int(high) + 1)]
        for low, high, step in zip(texts[1::4], texts[2::4], texts[3::4])
    ]
    made = []
    for chosen in product(*runs):
        numbers = [number for number, _ in chosen] + [""]
        whole = "".join(part + number for part, number in zip(fixed, numbers))
        place = int(offset, 16) + sum(bytes_on for _, bytes_on in chosen)
        made.append(TileRegister(whole, place, int(width), access, int(reset, 16), fields))
    return made


_modules: dict[str, dict[str, TileRegister]] = {}


def tile_registers() -> dict[str, dict[str, TileRegister]]:
    """Module (`core`, `memory`, `memory_tile`, `shim`) -> name -> register."""
    if not _modules:
        with open(__file__.replace("register_table.py", "aie2_registers.txt"), encoding="ascii") as stream:
            module: dict[str, TileRegister] = {}
            for line in stream:
                if line.startswith("["):
                    module = _modules.setdefault(line.strip()[1:-1], {})
                else:
                    module.update((register.name, register) for register in _rows(line))
    return _modules
