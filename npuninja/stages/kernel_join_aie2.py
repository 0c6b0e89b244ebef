"""Stage kernel_join by npuninja-aie2: several objects and archives to one archive that a core is linked with.

What a core does not use is left out when the core is linked.
"""

from __future__ import annotations

import os

from npuninja.errors import UserError
from npuninja.file_kinds import ARCHIVE_MAGIC, ELF_MAGIC
from npuninja.machine_code.program import read_programs
from npuninja.stages._compile_aie2 import KIND, check_kind
from npuninja.stages._peano_object import check_object
from npuninja.stages._run import Outputs, read_bytes, stage_arguments

_NAME_BYTES = 15


def run(arguments: list[str]) -> None:
    """`PART.o|PART.a… --kind aie2 -o OBJECT`. Raises UserError: a part is not of the core kind."""
    options = stage_arguments("kernel_join_aie2", arguments)
    target = options.one("-o")
    check_kind("kernel_join", options.one("--kind"))
    if not options.positional:
        raise UserError("kernel_join: no object given")
    with Outputs(target) as outputs:
        made = bytearray(ARCHIVE_MAGIC)
        number = 0
        for path in options.positional:
            data = read_bytes(path)
            read_programs(data, path)  # says what is damaged
            members = [data] if not data.startswith(ARCHIVE_MAGIC) else _members(data)
            for member in members:
                check_object(KIND, path)(member)
                made += _member(f"{number}_{os.path.basename(path)}", member)
                number += 1
        outputs.write(target, bytes(made))


def _members(archive: bytes) -> list[bytes]:
    """The objects of an archive that `read_programs` has read."""
    found, at = [], len(ARCHIVE_MAGIC)
    while at + 60 <= len(archive):
        size = int(archive[at + 48 : at + 58])
        content = archive[at + 60 : at + 60 + size]
        if content.startswith(ELF_MAGIC):
            found.append(content)
        at += 60 + size + size % 2
    return found


def _member(name: str, data: bytes) -> bytes:
    """A member with a header that says the same in every build: no time, no owner."""
    title = f"{name[:_NAME_BYTES]}/"
    header = f"{title:16}{0:<12}{0:<6}{0:<6}{0o644:<8o}{len(data):<10}`\n".encode()
    return header + data + b"\n" * (len(data) % 2)
