"""`aie.utils.regdb`: which register an address is, and register writes of a design with that in a comment.

The registers are those of an MLIR-AIE install when `MLIR_AIE_INSTALL_DIR` names one that has them, with its
descriptions; else npuninja's own table (`npuninja/arch/register_table.py`), which has none.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from npuninja.arch.devices import PROGRAM_MEMORY_BYTES, TILE_KINDS
from npuninja.arch.families import SHARED_ROWS, Rows
from npuninja.arch.register_table import RegisterField, tile_registers
from npuninja.arch.registers import PROGRAM_MEMORY, TILE_BYTES, split_address, tile_address
from npuninja.errors import UserError
from npuninja.ir.attributes import IntegerAttr, StringAttr
from npuninja.ir.core import Operation
from npuninja.ir.tiles import device_of
from npuninja.lowering.op_builders import constant_value
from npuninja.python_designs.construct.insertion import Module
from npuninja.python_designs.install_paths import root_path

#: How the database words what may be done with a register.
_ACCESS = {
    "rw": "rwNormal read/write",
    "ro": "roRead-only",
    "wo": "woWrite-only",
    "wtc": "wtcReadable, write a 1 to clear",
    "mixed": "mixedMixed types. See bit-field details.",
}
#: Which operations are annotated, and their operands that are the address, the value and the mask.
_ANNOTATED = {
    "aiex.npu.write32": (0, 1, None),
    "aiex.npu.blockwrite": (None, None, None),
    "aiex.npu.maskwrite32": (0, 1, 2),
    "aiex.npu.address_patch": (None, None, None),
    "aiex.npu.control_packet": (None, None, None),
}
#: How the database calls the kinds of tiles.
_TILE_TYPES = {"shim": "shim_tile", "mem": "memory_tile", "core": "core_tile"}
_MODULES = {"shim_tile": ("shim",), "memory_tile": ("memory_tile",), "core_tile": ("core", "memory")}


def _own_database() -> dict[str, Any]:
    return {
        "modules": {
            module: {
                "registers": [
                    {
                        "name": register.name,
                        "offset": f"0x{register.offset:010X}",
                        "width": register.width_bits,
                        "type": _ACCESS[register.access],
                        "reset": f"0x{register.reset:08x}",
                        "description": "",
                        "bit_fields": [{"name": field.name, "bits": field.bits} for field in register.fields],
                    }
                    for register in registers.values()
                ]
            }
            for module, registers in tile_registers().items()
        }
    }


class AIEAddressDecoder:
    """Addresses of an NPU's array to registers and back.

    Attributes:
        database: `{"modules": {module: {"registers": [...]}}}`, as in MLIR-AIE's file.
    """

    #: Module -> (name, offset, bytes) of its memories.
    MEMORY_REGIONS = {
        "core": [
            ("Program_Memory", PROGRAM_MEMORY, PROGRAM_MEMORY_BYTES),
            ("DataMemory", 0, TILE_KINDS["core"].memory_bytes),
        ],
        "memory": [("DataMemory", 0, TILE_KINDS["core"].memory_bytes)],
        "memory_tile": [("DataMemory", 0, TILE_KINDS["mem"].memory_bytes)],
    }

    def __init__(self) -> None:
        self.database: dict[str, Any] = {}
        self.load_database()

    def load_database(self) -> None:
        """Reads the registers. Raises OSError and ValueError of an install's file that cannot be read."""
        path = os.path.join(root_path(), "lib", "regdb", "aie_registers_aie2.json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                self.database = json.load(stream)
        else:
            self.database = _own_database()

    def parse_address(self, address: int, rows: Rows = SHARED_ROWS) -> dict[str, Any]:
        """What lies at an address (column << 25 | row << 20 | offset) of an array with these rows."""
        column, row, offset = split_address(address)
        kind = _TILE_TYPES[rows.kind(row)]
        place = {"address": hex(address), "col": column, "row": row, "tile_type": kind}
        for module in _MODULES[kind]:
            found = self.find_register_by_offset(self.database["modules"].get(module, {}), offset)
            if found is not None:
                described = {
                    **place,
                    "module": module,
                    "register": found["name"],
                    "offset": found["offset"],
                    "width": found.get("width", "unknown"),
                    "type": found.get("type", "unknown"),
                    "description": found.get("description", ""),
                    "reset_value": found.get("reset", "unknown"),
                }
                if "bit_fields" in found:
                    described["bit_fields"] = found["bit_fields"]
                return described
        for module in _MODULES[kind]:
            region = self.find_memory_region(module, offset)
            if region is not None:
                return {
                    **place,
                    "module": module,
                    "register": f"{region['name']}+0x{region['region_offset']:X}",
                    "offset": hex(offset),
                    "description": region["description"],
                    "is_memory_region": True,
                    "memory_region_name": region["name"],
                    "memory_region_offset": region["region_offset"],
                }
        return {
            **place,
            "module": "unknown",
            "register": "unknown",
            "offset": hex(offset),
            "description": "Address not found in database",
        }

    def find_register_by_offset(self, module_data: dict[str, Any], offset: int) -> dict[str, Any] | None:
        """The register of a module at an offset."""
        return next((row for row in module_data.get("registers", ()) if _offset(row) == offset), None)

    def find_memory_region(self, module_name: str, offset: int) -> dict[str, Any] | None:
        """The memory of a module that an offset lies in."""
        for name, base, size_bytes in self.MEMORY_REGIONS.get(module_name, []):
            if base <= offset < base + size_bytes:
                return {
                    "name": name,
                    "base_offset": base,
                    "region_offset": offset - base,
                    "size_bytes": size_bytes,
                    "description": f"{name} region ({size_bytes // 1024}KB)",
                }
        return None

    def encode_address(
        self, col: int, row: int, register_name: str, module_name: str | None = None, rows: Rows = SHARED_ROWS
    ) -> int | None:
        """The address of a tile's register; None when the tile (or the module) has none of that name."""
        known = self.database["modules"]
        modules = (module_name,) if module_name else _MODULES[_TILE_TYPES[rows.kind(row)]]
        listed = (one for module in modules for one in known.get(module, {}).get("registers", ()))
        found: dict[str, Any] = next((one for one in listed if one.get("name") == register_name), {})
        offset = _offset(found)
        return None if offset is None else tile_address(col, row, offset)

    def format_result(
        self, result: dict[str, Any] | None, include_delimiters: bool = False, show_bit_fields: bool = False
    ) -> str:
        """A result of `parse_address` as lines for people."""
        if not result:
            return "Unable to decode address"
        blocks = [
            [("Address", result["address"])],
            [
                ("Column", result["col"]),
                ("Row", result["row"]),
                ("Tile Type", result["tile_type"]),
                ("Module", result["module"]),
                ("Register", result["register"]),
                ("Offset", result["offset"]),
            ],
        ]
        if "width" in result:
            blocks[1].append(("Width", f"{result['width']} bits"))
        blocks[1] += [
            (title, result[key])
            for title, key in (("Access Type", "type"), ("Reset Value", "reset_value"))
            if key in result
        ]
        texts = [[f"{title + ':':<12} {value}" for title, value in block] for block in blocks]
        texts.append([f"Description: {result['description']}"] if result.get("description") else [])
        if show_bit_fields and result.get("bit_fields"):
            texts.append(["Bit Fields:"])
            for field in result["bit_fields"]:
                texts[-1] += _field_lines(field)
        if not include_delimiters:
            return "\n".join(line for block in texts for line in block)
        between = ["-" * 70]
        lines = ["=" * 70, *texts[0]]
        for block in texts[1:]:
            lines += between + block
        return "\n".join([*lines, "=" * 70])


def _field_lines(field: dict[str, Any]) -> list[str]:
    line = f"  [{field.get('bits', '')}] {field.get('name', '')}"
    if field.get("type"):
        line += f" ({field['type']})"
    if field.get("reset"):
        line += f" reset={field['reset']}"
    return [line, f"      {field['description']}"] if field.get("description") else [line]


def _offset(register: dict[str, Any]) -> int | None:
    try:
        return int(register["offset"], 0)
    except (KeyError, ValueError):
        return None


class MLIRModuleAnnotator:
    """Gives register writes of a design an attribute `comment`: the register, and the value by its fields."""

    def __init__(self) -> None:
        self.decoder = AIEAddressDecoder()

    def decode_bit_field_value(self, value: int, bit_range: str) -> int:
        """The bits `31:24` or `0` of a value."""
        return RegisterField("", bit_range).value(value)

    def format_bit_fields(
        self, value: int, bit_fields: list[dict[str, Any]], mask: int | None = None
    ) -> list[str]:
        """`name=number` of each field, or only of those that `mask` touches."""
        shown = []
        for entry in bit_fields:
            if not entry.get("bits"):
                continue
            field = RegisterField(entry.get("name", ""), entry["bits"])
            if mask is None or field.mask & mask:
                shown.append(f"{field.name or f'bits[{field.bits}]'}={field.value(value)}")
        return shown

    def generate_comment(
        self, decoded_info: dict[str, Any], value: int | None = None, mask: int | None = None
    ) -> str:
        """A line `Tile(0, 2), Offset 0x32000, Name: Core_Control | Value 0x1: Reset=0, Enable=1`."""
        offset = decoded_info.get("offset", 0)
        offset = int(offset, 16) if isinstance(offset, str) else offset
        place = (
            f"Tile({decoded_info.get('col', '?')}, {decoded_info.get('row', '?')}), Offset 0x{offset:05X}, "
            f"Name: {decoded_info.get('register', 'unknown')}"
        )
        if value is None or "bit_fields" not in decoded_info:
            return place
        fields = self.format_bit_fields(value, decoded_info["bit_fields"], mask)
        if not fields:
            return place
        masked = "" if mask is None else f"Mask 0x{mask:X}, "
        return f"{place} | {masked}Value 0x{value:X}: {', '.join(fields)}"

    def annotate_module(self, module: Any) -> int:
        """Gives the register writes of a module their comments.

        Returns:
            How many have one; a write whose address is no constant has none.
        """
        return sum(self._annotate(op) for op in list(module.ir.walk()))

    def _annotate(self, op: Operation) -> bool:
        if op.name not in _ANNOTATED:
            return False
        address, value, mask = (
            _number(op, name, place) for name, place in zip(("address", "value", "mask"), _ANNOTATED[op.name])
        )
        address = _number(op, "addr", None) if address is None else address
        if address is None:
            return False
        column, row = _number(op, "column", None), _number(op, "row", None)
        if column is None or row is None:
            column, row, address = split_address(address)
        device = device_of(op)
        rows = SHARED_ROWS if device is None else device.family.rows
        decoded = self.decoder.parse_address(tile_address(column, row, address & TILE_BYTES - 1), rows)
        op.attributes["comment"] = StringAttr(self.generate_comment(decoded, value, mask))
        return True

    def annotate_file(self, input_path: str, output_path: str | None = None) -> int:
        """Annotates the MLIR in a file, into another file or on standard output.

        Raises:
            OSError: a file cannot be read or written.
            UserError: the text is no module.
        """
        with open(input_path, encoding="utf-8") as stream:
            module = Module.parse(stream.read())
        count = self.annotate_module(module)
        if output_path:
            with open(output_path, "w", encoding="utf-8") as stream:
                stream.write(str(module))
        else:
            sys.stdout.write(str(module))
        return count


def _number(op: Operation, name: str, place: int | None) -> int | None:
    """A field of a register write: an attribute, or since July 2026 the operand at `place`."""
    given = op.attributes.get(name)
    if isinstance(given, IntegerAttr):
        return given.value
    return constant_value(op.operands[place]) if place is not None and place < len(op.operands) else None


def parse_address_arg(addr_str: str) -> int:
    """An address as people write it, `0x…` or decimal. Raises ValueError."""
    text = addr_str.strip()
    return int(text, 16 if text.lower().startswith("0x") else 10)


def main() -> int:
    """The command line: an address, a register's place, or a file to annotate."""
    parser = argparse.ArgumentParser(
        description="Which register an address is; register writes with comments"
    )
    parser.add_argument("address", nargs="?", help="an address, in hexadecimal (0x…) or decimal")
    parser.add_argument("--col", type=int, help="column of the register that is looked for")
    parser.add_argument("--row", type=int, help="row of the register that is looked for")
    parser.add_argument("--register", "-r", help="its name")
    parser.add_argument("--module", "-m", help="its module: core, memory, memory_tile, shim")
    parser.add_argument("--memory-tile-rows", type=int, default=1, help="changes nothing here")
    parser.add_argument("-a", "--annotate", metavar="FILE", help="the MLIR file to annotate")
    parser.add_argument("-o", "--output", help="where the annotated MLIR goes (default: standard output)")
    parser.add_argument("--in-place", "-i", action="store_true", help="into the file itself")
    parser.add_argument("--show-bit-fields", "-b", action="store_true", help="the register's fields too")
    options = parser.parse_args()
    try:
        if options.annotate:
            output = options.annotate if options.in_place else options.output
            count = MLIRModuleAnnotator().annotate_file(options.annotate, output)
            print(f"Annotated {count} operations", file=sys.stderr)
            return 0
        decoder = AIEAddressDecoder()
        if options.register and options.col is not None and options.row is not None:
            address = decoder.encode_address(options.col, options.row, options.register, options.module)
            if address is None:
                raise ValueError(
                    f"a tile in row {options.row} has no register '{options.register}'; "
                    "--module says in which module it is"
                )
        elif options.address:
            address = parse_address_arg(options.address)
        else:
            parser.print_help()
            return 1
    except (OSError, ValueError, UserError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(decoder.format_result(decoder.parse_address(address), show_bit_fields=options.show_bit_fields))
    return 0
