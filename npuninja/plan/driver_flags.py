"""Flags of MLIR-AIE's driver, aiecc, that decide how a design is lowered, as options of npuninja's stages.

Makefiles give them to the driver, designs under `@iron.jit` say them as `aiecc_flags`, and toolchain.toml as
`[design.NAME] aiecc-flags`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from npuninja.errors import Location, UserError
from npuninja.lowering.resources.allocation_schemes import SCHEMES
from npuninja.records import NamedTuple

_OVERLAY = "--generate-ctrl-pkt-overlay"
_SWITCHES = {
    "--dynamic-objFifos": "dynamic_fifos",
    "--packet-sw-objFifos": "packet_fifos",
    _OVERLAY: "control_overlay",
    "--expand-load-pdis": "expand_loads",
}
_VALUES = {"--alloc-scheme": "alloc_scheme", "--cores-per-col": "cores_per_column"}
#: What is for aiecc to know, and changes nothing in the result here.
_WITHOUT_EFFECT = ("--no-xchesscc", "--no-xbridge", "--xchesscc", "--xbridge", "--verbose", "-v", "--no-unified",
                   "--unified", "--no-compile-host", "--progress")  # fmt: skip
#: What decides the result and is not done here, and why. A value for which that is not so comes after it.
_REFUSED = {
    "--load-pdi-to-ctrl-pkt": (
        "npuninja puts no configurations into sequences as control packets; "
        "--expand-load-pdis puts them there as writes",
        "false",
    ),
    "--placer": (
        "npuninja places tiles as sequential_placer does; give the tiles places",
        "sequential_placer",
    ),
    "--sa-seed": ("it is for sa_placer, and npuninja places tiles as sequential_placer does", ""),
    "--bf16-emulation": (
        "npuninja leaves the vector code of cores as it is; do it in a kernel function",
        "false",
    ),
    "--fold-ddr-addr-offset": ("npuninja writes instructions for XRT, not those that HRX takes", "true"),
    "--no-materialize": ("npuninja puts sequences of other devices in their place in every build", "false"),
}
FLAGS_WITH_VALUE = tuple(_VALUES)
FLAGS = (*_VALUES, *_SWITCHES)


class LoweringFlags(NamedTuple):
    """What the flags say; "" where they say nothing.

    Attributes:
        alloc_scheme: how buffers are placed.
        dynamic_fifos: "true" if cores choose FIFO objects at run time unless they say otherwise, or "false".
        packet_fifos: "true" when objectFifos use packet flows.
        control_overlay: "true" when the shim's DMA reaches the control port of every tile in use; "first"
            when it reaches that of every tile of the design, as by `aie-opt
            -aie-generate-column-control-overlay` before anything else.
        expand_loads: "true" when sequences of a full ELF have configurations in them in the place of loads.
        cores_per_column: how many cores of a column are used for those without a place, as a decimal number.
    """

    alloc_scheme: str = ""
    dynamic_fifos: str = ""
    packet_fifos: str = ""
    cores_per_column: str = ""
    control_overlay: str = ""
    expand_loads: str = ""


def read_driver_flags(words: Sequence[str], where: Location | None = None) -> LoweringFlags:
    """Takes flags apart.

    Raises:
        UserError: a flag is not known here, or its value means nothing; located at `where`.
    """
    found: dict[str, str] = {}
    for name, value in _pairs(words):
        flag = f"--{name.lstrip('-')}"
        if flag in _SWITCHES:
            found[_SWITCHES[flag]] = _switch(flag, value.lower() or "true", where)
        elif flag in _VALUES:
            found[_VALUES[flag]] = _value(flag, value, where)
        elif flag in _REFUSED:
            reason, harmless = _REFUSED[flag]
            if not harmless or value != harmless:
                raise UserError(f"aiecc flag {name}: {reason}", where)
        elif name not in _WITHOUT_EFFECT:
            raise UserError(
                f"npuninja does not know the aiecc flag {name}", where, hint=f"known: {', '.join(FLAGS)}"
            )
    for name in ("packet_fifos", "control_overlay", "expand_loads"):
        if found.get(name) == "false":
            del found[name]
    return LoweringFlags(**found)


def _switch(flag: str, value: str, where: Location | None) -> str:
    if flag == _OVERLAY and value == "first":
        return value
    if value not in ("true", "false", "1", "0"):
        raise UserError(f"aiecc flag {flag}={value}: expected true or false", where)
    return "true" if value in ("true", "1") else "false"


def _value(flag: str, value: str, where: Location | None) -> str:
    if flag == "--alloc-scheme" and value not in SCHEMES:
        raise UserError(f"aiecc flag {flag}={value}: expected {' or '.join(SCHEMES)}", where)
    if flag == "--cores-per-col" and not (value.lstrip("-").isdigit() and value != "0"):
        raise UserError(f"aiecc flag {flag} {value}: expected a number of cores", where)
    return "" if value.startswith("-") else value


def words_of(flags: LoweringFlags, *, keeps_loops: bool) -> tuple[str, ...]:
    """The flags as words of a driver, each once, since it takes none of them twice.

    `keeps_loops`: whether the driver chooses a FIFO's object at run time unless told otherwise, as that of
    1.4 does; the others need no word against it, and that of 2025 has none.
    """
    values = flags._asdict()
    found = [f"{name}={values[field]}" for name, field in _VALUES.items() if values[field]]
    for name, field in _SWITCHES.items():
        if values[field] == "false" and keeps_loops:
            found.append(f"{name}=false")
        elif values[field] not in ("", "false"):
            found.append(name)
    return tuple(found)


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if f"--{name.lstrip('-')}" in (*_VALUES, "--placer", "--sa-seed") and not equals:
            value = next(rest, "")
        yield name, value
