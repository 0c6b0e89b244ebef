"""`npuninja cdo`: the configuration files of a routed design."""

from __future__ import annotations

import sys

from npuninja.commands.lower import devices_of, write_files
from npuninja.errors import UserError
from npuninja.ir.core import Operation
from npuninja.stages._places import parse_place
from npuninja.stages._run import read_arguments, read_bytes, read_text

USAGE = """\
usage: npuninja cdo FOLDER/input_physical.mlir --elf [DEVICE:]C,R=FILE … -o FOLDER

Writes cdo_elfs.bin, cdo_init.bin and cdo_enable.bin, with `DEVICE.` in front when the module has several
devices. FILE is the program of the core in column C and row R, an AIE ELF or a wasm core.
"""


def main(arguments: list[str]) -> int:
    """Runs `npuninja cdo`; returns its exit code."""
    if "--help" in arguments or "-h" in arguments:
        sys.stdout.write(USAGE)
        return 0
    from npuninja.ir.parser import parse_module
    from npuninja.lowering.number_operands import numbers_from_values

    options = read_arguments("npuninja cdo", arguments, options=("--elf",))
    # `--elf A B` means the same as `--elf A --elf B`.
    sources = [word for word in options.positional if "=" not in word]
    programs = [*options.all("--elf"), *(word for word in options.positional if "=" in word)]
    if len(sources) != 1:
        raise UserError(f"npuninja cdo: expected one input file, got {len(sources)}")
    module = parse_module(read_text(sources[0]), sources[0])
    numbers_from_values(module)
    write_files(options.one("-o"), configure_devices(module, _read(programs)))
    return 0


def _read(programs: list[str]) -> dict[str, tuple[str, bytes]]:
    """`[DEVICE:]C,R=FILE` -> the file and its content, by the part before `=`."""
    contents = {}
    for word in programs:
        place, _, path = word.partition("=")
        if not path:
            raise UserError(f"--elf {word}: expected [DEVICE:]COLUMN,ROW=FILE")
        if place in contents:
            raise UserError(f"--elf {word}: core {place} is given twice")
        contents[place] = (path, read_bytes(path))
    return contents


def configure_devices(module: Operation, programs: dict[str, tuple[str, bytes]]) -> dict[str, bytes]:
    """The configuration files of every device: file name -> content.

    Args:
        module: a routed design.
        programs: `[DEVICE:]C,R` -> file and content of the core's program; the device may be left out when
            there is one.

    Raises:
        UserError: a core has no program, there is a program without a core, or one is not a core's program.
    """
    from npuninja.formats.core_image import read_core_image
    from npuninja.lowering.pipeline import configuration
    from npuninja.lowering.tiles import model_of

    devices = devices_of(module)
    of_device: dict[str, dict[tuple[int, int], tuple[str, bytes]]] = {symbol: {} for symbol, _, _ in devices}
    for key, program in programs.items():
        symbol, colon, place = key.rpartition(":")
        if not colon and len(devices) > 1:
            raise UserError(
                f"--elf {key}: the module has several devices", hint="write DEVICE:COLUMN,ROW=FILE"
            )
        symbol = symbol if colon else devices[0][0]
        if symbol not in of_device:
            raise UserError(
                f"--elf {key}: there is no device @{symbol}", hint=f"devices: {', '.join(of_device)}"
            )
        of_device[symbol][parse_place(place, "--elf")] = program
    files = {}
    for symbol, prefix, device in devices:
        architecture = model_of(device).architecture
        images = {
            place: read_core_image(data, architecture, path)
            for place, (path, data) in of_device[symbol].items()
        }
        result = configuration(module, symbol, images)
        files[f"{prefix}cdo_elfs.bin"] = result.elfs
        files[f"{prefix}cdo_init.bin"] = result.init
        files[f"{prefix}cdo_enable.bin"] = result.enable
    return files
