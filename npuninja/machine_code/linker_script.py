"""MLIR-AIE's linker scripts: symbols `. = 0x70400; name = .;`, region `data`, `PROVIDE(main = core_0_2);`."""

from __future__ import annotations

import re

from npuninja.errors import Location, UserError
from npuninja.records import NamedTuple

#: Where the stack begins.
STACK_SYMBOL = "_sp_start_value_DM_stack"


class LinkerScript(NamedTuple):
    """What a linker script fixes: symbols, where data goes, how much fits, aliases, the room of symbols."""

    symbols: dict[str, int]
    data_origin: int
    data_bytes: int
    aliases: dict[str, str]
    sizes: dict[str, int]


#: Of twenty digits at most, which is more than an address has.
_NUMBER = r"0[xX][0-9A-Fa-f]{1,18}|[1-9]\d{0,19}|0"


def read_linker_script(text: str, name: str) -> LinkerScript:
    """Reads a script. Raises UserError when it has no region `data`."""
    region = re.search(
        rf"data\s*\([^)]{{0,64}}\)\s*:\s*ORIGIN\s*=\s*({_NUMBER})\s*,\s*LENGTH\s*=\s*({_NUMBER})\b", text
    )
    if region is None:
        raise UserError("the linker script has no memory region 'data'", Location(name))
    symbols: dict[str, int] = {}
    sizes: dict[str, int] = {}
    at = 0
    latest = ""
    body = _without_comments(text)
    for sign, number, symbol in re.findall(rf"\.\s*(\+?=)\s*({_NUMBER})\s*;|\b(\w+)\s*=\s*\.\s*;", body):
        if symbol:
            symbols[symbol] = at
        elif sign == "=":
            at = int(number, 0)
        else:
            at += int(number, 0)
            if latest:
                sizes[latest] = int(number, 0)
        latest = symbol
    aliases = dict(re.findall(r"PROVIDE\((\w+)\s*=\s*(\w+)\)", body))
    return LinkerScript(symbols, int(region[1], 0), int(region[2], 0), aliases, sizes)


def _without_comments(text: str) -> str:
    """A script without its comments; in linear time, also when they do not end."""
    parts = []
    at = 0
    while (begin := text.find("/*", at)) >= 0 and (end := text.find("*/", begin + 2)) >= 0:
        parts.append(text[at:begin])
        at = end + 2
    return "".join((*parts, text[at:]))
