"""`npuninja as` and `npuninja ld`: text to an object, objects to the program of one core."""

from __future__ import annotations

import argparse
from typing import NoReturn, Sequence

from npuninja.errors import UserError, in_words
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.linker import link, read_linker_script


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(message, hint=f"{self.prog} --help")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise UserError(f"cannot read {path}: {in_words(error)}") from None


def _write(path: str, data: bytes) -> None:
    try:
        with open(path, "wb") as stream:
            stream.write(data)
    except OSError as error:
        raise UserError(f"cannot write {path}: {in_words(error)}") from None


def main(arguments: Sequence[str]) -> int:
    """Runs `npuninja as`."""
    parser = _Parser(
        prog="npuninja as", description="Assembles AIE2 machine code, in the text that disasm prints."
    )
    parser.add_argument("source", metavar="FILE.s")
    parser.add_argument("-o", dest="output", metavar="FILE.o", required=True)
    options = parser.parse_args(arguments)
    text = _read(options.source).decode("utf-8", "replace")
    _write(options.output, assemble(text, options.source).object())
    return 0


def link_main(arguments: Sequence[str]) -> int:
    """Runs `npuninja ld`."""
    parser = _Parser(
        prog="npuninja ld",
        description="Links AIE2 objects with a linker script of MLIR-AIE's kind into the program of one core.",
    )
    parser.add_argument("objects", metavar="FILE.o", nargs="+")
    parser.add_argument("-T", "--script", required=True, metavar="core_C_R.ld.script")
    parser.add_argument("-o", dest="output", metavar="FILE.elf", required=True)
    options = parser.parse_args(arguments)
    script = read_linker_script(_read(options.script).decode("utf-8", "replace"), options.script)
    objects = [(path, _read(path)) for path in options.objects]
    _write(options.output, link(objects, script, options.script))
    return 0
