"""`npuninja as` and `npuninja ld`: text to an object, objects to the program of one core."""

from __future__ import annotations

from typing import Sequence

from npuninja.argument_parser import VerbParser
from npuninja.files import MAX_XCLBIN_BYTES, read_file, write_file
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.linker import link
from npuninja.machine_code.linker_script import read_linker_script


def main(arguments: Sequence[str]) -> int:
    """Runs `npuninja as`; returns its exit code."""
    parser = VerbParser(
        prog="npuninja as", description="Assembles AIE2 machine code, in the text that disasm prints."
    )
    parser.add_argument("source", metavar="FILE.s")
    parser.add_argument("-o", dest="output", metavar="FILE.o", required=True)
    options = parser.parse_args(arguments)
    text = read_file(options.source, MAX_XCLBIN_BYTES).decode("utf-8", "replace")
    write_file(options.output, assemble(text, options.source).object())
    return 0


def link_main(arguments: Sequence[str]) -> int:
    """Runs `npuninja ld`; returns its exit code."""
    parser = VerbParser(
        prog="npuninja ld",
        description="Links AIE2 objects with a linker script of MLIR-AIE's kind into the program "
        "of one core.",
    )
    parser.add_argument("objects", metavar="FILE.o", nargs="+")
    parser.add_argument("-T", "--script", required=True, metavar="core_C_R.ld.script")
    parser.add_argument("-o", dest="output", metavar="FILE.elf", required=True)
    options = parser.parse_args(arguments)
    script = read_linker_script(
        read_file(options.script, MAX_XCLBIN_BYTES).decode("utf-8", "replace"), options.script
    )
    objects = [(path, read_file(path, MAX_XCLBIN_BYTES)) for path in options.objects]
    write_file(options.output, link(objects, script, options.script))
    return 0
