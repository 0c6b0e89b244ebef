"""Checks of a core's objects before they are linked, and what the linker's messages mean."""

from __future__ import annotations

import os
import re

from npuninja import TYPE_CHECKING
from npuninja.errors import Error, Location, UserError, Warnings
from npuninja.formats.core_abi import OWN_DATA, OWN_DATA_END
from npuninja.stages._tool import ToolFailed
from npuninja.stages._wasm_flags import CORE_IMPORTS
from npuninja.stages._wasm_object import Symbols
from npuninja.suggestions import did_you_mean

if TYPE_CHECKING:
    from typing import Any

# Symbols that wasm-ld defines itself.
LINKER_SYMBOLS = frozenset(
    (
        "__stack_pointer",
        "__data_end",
        "__heap_base",
        "__global_base",
        "__memory_base",
        "__table_base",
        "__dso_handle",
    )
)

# Functions that C programmers and compilers take for granted, and why a core has none of them.
ABSENT: tuple[tuple[str, str], ...] = (
    (r"(v?f?s?n?printf|puts|putchar)$", "a core has no console; write to an output buffer instead"),
    (r"(malloc|calloc|realloc|free|_Znwm|_Znwj|_ZdlPv.*)$", "a core has no heap; use static or stack arrays"),
    (
        r"(sqrt|floor|ceil|trunc|fabs|rint|nearbyint|copysign|round|fmin|fmax)f?$",
        "include <math.h>, which has it inline",
    ),
    (r"(memcpy|memset|memmove|memcmp|strlen)$", "include <string.h>"),
    (
        r"__(ex|tr)[a-z]+[sdh]f[sdh]f2$",
        "there is no 16-bit float in the emulated core; convert by hand through uint16_t",
    ),
    (r"__(mul|div|mod|u?div|umod)[dt]i[34]$", "there are no 128-bit integers in the emulated core"),
)


def check_symbols(core: Symbols, kernels: list[Symbols], function_locations: dict[str, Location]) -> None:
    """Sees to it that every symbol is there.

    Args:
        core: the core's own object.
        kernels: the objects it is linked with, in order.
        function_locations: where the design declares the functions it calls, as far as that is known.

    Raises:
        UserError: a symbol is missing (near ones are given), or an object wants code to run at load time.
    """
    objects = [core, *kernels]
    for symbols in objects:
        if symbols.has_init_functions:
            raise UserError(
                "an object with a static constructor: code that would have to run before the core starts",
                Location(symbols.path),
                hint="make the variable constexpr or constinit, or set it inside the kernel",
            )
    defined = {name for symbols in objects for name in symbols.defined}
    missing = {
        name: symbols
        for symbols in reversed(objects)
        for name in reversed(symbols.undefined)
        if name not in defined and name not in CORE_IMPORTS and name not in LINKER_SYMBOLS
    }
    if not missing:
        return
    # The dictionary holds the first use last.
    names = list(missing)[::-1]
    first, user = names[0], missing[names[0]]
    notes: list[tuple[str, Location | None]] = [
        (f"{name} is missing too", Location(missing[name].path)) for name in names[1:]
    ]
    notes += [(_inventory(symbols), Location(symbols.path)) for symbols in kernels]
    what = "the design calls" if user is core else f"{os.path.basename(user.path)} uses"
    where = function_locations.get(first) if user is core else Location(user.path)
    message = f"{what} {first}, which none of the linked objects defines"
    raise UserError(message, where, hint=_missing_hint(first, kernels, user is core), notes=tuple(notes))


def check_unused_objects(
    core: str, program: Symbols, kernels: list[Symbols], place: Location, warnings: Warnings
) -> None:
    """Warns of a linked object of which the core's program reaches nothing."""
    reached, wanted = {program.path}, set(program.undefined)
    while more := [s for s in kernels if s.path not in reached and wanted.intersection(s.defined)]:
        for symbols in more:
            reached.add(symbols.path)
            wanted.update(symbols.undefined)
    for symbols in kernels:
        if symbols.path not in reached:
            main = (
                " main() is not called either: a core's program is its aie.core."
                if "main" in symbols.defined
                else ""
            )
            warnings.add(
                f"{core} calls no function of {os.path.basename(symbols.path)}, so none of it ever "
                f"runs.{main} Call a function of it with func.call",
                place,
            )


def check_mangling(objects: list[Symbols]) -> None:
    """UserError when one object needs a C++ function that another has as a C function, or the reverse.

    For objects whose other symbols may come from libraries, so that nothing else can be said of them.
    """
    defined = {name for symbols in objects for name in symbols.defined}
    for user in objects:
        others = [symbols for symbols in objects if symbols is not user]
        for name in user.undefined:
            twin = _of_other_language(name, others) if name not in defined else None
            if twin:
                raise UserError(f"{os.path.basename(user.path)} uses {name}", Location(user.path), hint=twin)


def _of_other_language(name: str, objects: list[Symbols]) -> str | None:
    """A hint when an object has the function under the name of the other language."""
    plain = unmangled(name) or name
    for symbols in objects:
        for other in symbols.defined:
            if other != name and (unmangled(other) or other) == plain:
                where = os.path.basename(symbols.path)
                return (
                    f"{where} has it as {other}: one side is C, the other C++; "
                    'declare the function extern "C" '
                    "wherever C++ sees it"
                )
    return None


def _inventory(symbols: Symbols) -> str:
    shown = [name for name in symbols.defined if not name.startswith("__")]
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    return "defines " + (", ".join(shown[:8]) or "nothing") + more


def unmangled(name: str) -> str | None:
    """The plain name of a C++ function outside namespaces and classes (`_Z3fooPi` is foo), or None."""
    match = re.match(r"_Z(\d+)(.*)", name, re.DOTALL)
    if not match:
        return None
    length = int(match.group(1))
    return match.group(2)[:length] if len(match.group(2)) > length else None


def _missing_hint(name: str, kernels: list[Symbols], from_design: bool) -> str:
    twin = _of_other_language(name, kernels)
    if twin:
        return twin
    for pattern, reason in ABSENT:
        if re.match(pattern, name):
            return reason
    meant = did_you_mean(unmangled(name) or name, [n for s in kernels for n in s.defined])
    if meant:
        return meant
    if from_design and not kernels:
        return "name the object that has it: link_with on the core or, in the newer syntax, on the function"
    return "define it, or link the object that has it"


def translate(failure: ToolFailed, info: dict[str, Any]) -> Error:
    """What a failed link means to the user; the failure itself when its output says nothing known.

    Args:
        failure: of the linker.
        info: about the core, from stage core_code.
    """
    output = failure.output
    size = re.search(r"initial memory too small, (\d+) bytes needed", output)
    if size:
        return data_too_large(int(size.group(1)), info)
    mismatch = re.search(
        r"function signature mismatch: (\S+)\n>>> defined as (.+) in (.+)\n>>> defined as (.+) in (.+)",
        output,
    )
    if mismatch:
        name, one, one_file, other, other_file = mismatch.groups()
        notes: tuple[tuple[str, Location | None], ...] = (
            (f"here it is {one}", Location(one_file)),
            (f"here it is {other}", Location(other_file)),
        )
        return UserError(
            f"{name} is called with other arguments than it is defined with",
            next((place for declared, place, _ in info["functions"] if declared == name), info["location"]),
            notes=notes,
            hint="make func.func in the design and the C function agree: a memref is a pointer, "
            "index is 64 bits wide",
        )
    twice = re.search(r"duplicate symbol: (\S+)\n>>> defined in (.+)\n>>> defined in (.+)", output)
    if twice:
        return UserError(
            f"{twice.group(1)} is defined twice",
            info["location"],
            notes=(("here", Location(twice.group(2))), ("and here", Location(twice.group(3)))),
            hint="make one of them static, or link only one of the objects",
        )
    return failure


def data_too_large(end: int, info: dict[str, Any]) -> UserError:
    """The kernels' data does not fit after the buffers; `end` is the address where it would end."""
    data_origin, stack_bytes = info["data_origin"], info["stack_bytes"]
    hint = "use smaller tables, smaller or fewer objectFifo elements, or a smaller stack_size"
    if info.get("banked"):
        hint += (
            "; buffers placed bank by bank leave gaps, "
            'which allocation_scheme = "basic-sequential" on the tile closes, '
            "or alloc-scheme in toolchain.toml for the whole design"
        )
    return UserError(
        f"core ({info['column']}, {info['row']}): the kernels' data does not fit: "
        f"it needs {end - data_origin} bytes and {OWN_DATA_END - data_origin} of "
        f"65536 are left (the stack takes {stack_bytes}, the buffers end at byte {data_origin - OWN_DATA})",
        info["location"],
        hint=hint,
    )
