"""Objects to the program of one core: start-up code, runtime, size and stack checked.

The runtime is compiled when needed: each of its sources names what it defines, and only functions that are
reached go into the program.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from npuninja import TYPE_CHECKING
from npuninja.aie2_compiler.objects import FRAME_SYMBOL, TOO_LARGE, UNKNOWN_FRAME, compile_assembly
from npuninja.aie2_compiler.registers import STACK_BIAS_BYTES, ZERO
from npuninja.arch.devices import advised_stack_bytes
from npuninja.errors import Location, UserError, Warnings
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.linker import Linked, link_program, start_code, undefined_symbols
from npuninja.machine_code.linker_script import STACK_SYMBOL, LinkerScript, read_linker_script
from npuninja.machine_code.program import read_programs
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

RUNTIME_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runtime")
#: Sources of the runtime in C, in the order in which they may call each other.
_SOURCES = ("floats.c", "integers.c", "memory.c")
_DEFINED = re.compile(r"^(?!static)[\w *()]*?\b(\w+)\([^;{}]*\) \{", re.M)
_MATHEMATICS = (
    "(?:a?sin|a?cos|a?tan|exp|expm|log|sqrt|cbrt|pow|floor|ceil|l?l?round|l?l?rint|nearbyint|trunc|fmod|remainder|fma|"
    r"hypot|erf|fmin|fmax)\w*"
)
_MISSING: tuple[tuple[str, str], ...] = (
    (
        r"__\w+[dt]f\w*|__\w+df\d|__extend\w+|__trunc\w+",
        "arithmetic of double and half is not in its runtime; use float or integers",
    ),
    (r"npu_(?:get|put)_\w+|npu_stream_ready", "streams and cascades inside kernels are not supported"),
    (r"npu_print", "printf is for emulated cores only"),
    (_MATHEMATICS, "the C library's mathematics is not in its runtime"),
)

CompileRuntime = Callable[[str], str]
"""Compiles a C source to assembly of RV32."""


class LinkedProgram(NamedTuple):
    """A linked core.

    Attributes:
        elf: the program.
        program_bytes: of program memory.
        stack_bytes: what calls need at most; None when recursion, calls through pointers or data decide.
    """

    elf: bytes
    program_bytes: int
    stack_bytes: int | None


def link_core(
    objects: Sequence[tuple[str, bytes]],
    script_text: str,
    script_name: str,
    stack_bytes: int,
    compile_runtime: CompileRuntime,
    place: Location,
    warnings: Warnings,
) -> LinkedProgram:
    """Links a core.

    Args:
        objects: path and bytes of the core's object and the kernels'.
        script_text, script_name: the linker script.
        stack_bytes: what the script gives to the stack.
        compile_runtime: compiles a source of the runtime.
        place: of the core in the design, for errors.
        warnings: takes what is not certain.

    Raises:
        UserError: an object was not made here, a symbol is missing or there twice, the program or its data or
            its stack do not fit.
    """
    for path, data in objects:
        _check_made_here(path, data)
    script = read_linker_script(script_text, script_name)
    linked = _with_runtime(objects, script, stack_bytes, compile_runtime)
    _check_missing(undefined_symbols(linked, script), place)
    try:
        made = link_program(linked, script, script_name, only_used=True)
    except UserError as error:
        if "bytes" not in error.message:
            raise
        raise UserError(
            f"{error.message} (npuninja-aie2 does not optimise for size)",
            place,
            hint='flags = ["-Os"] for the kernel in toolchain.toml; or split the work over cores',
        ) from None
    need = _stack_need(made)
    if need is None:
        warnings.add(
            "how much stack the core needs is not known: a function calls itself or through a pointer, or "
            f"has an array whose size data say; {stack_bytes} bytes are there",
            place,
        )
    elif need > stack_bytes:
        raise UserError(
            f"the core's calls need {need} bytes of stack, its stack_size is {stack_bytes}",
            place,
            hint=f"set stack_size = {advised_stack_bytes(need)} : i32 on the core, or make arrays static",
        )
    return LinkedProgram(made.elf, made.program_bytes, need)


def _with_runtime(
    objects: Sequence[tuple[str, bytes]],
    script: LinkerScript,
    stack_bytes: int,
    compile_runtime: CompileRuntime,
) -> list[tuple[str, bytes]]:
    """The objects with start code in front, and after them what they need of the runtime."""
    # The stack pointer, and the register that is 0. RV32's stack grows downwards.
    stack = f"{STACK_SYMBOL}+{stack_bytes + STACK_BIAS_BYTES}"
    start = assemble(start_code(stack, f"movxm {ZERO}, #0"), "start").object()
    routines = assemble(_routines(), "routines.s").object()
    linked = [("start", start), *objects, ("runtime/routines.s", routines)]
    defined = {name: source for source in _SOURCES for name in _DEFINED.findall(_text(source))}
    for source in _SOURCES:
        missing = undefined_symbols(linked, script)
        if any(defined.get(name) == source for name in missing):
            assembly = compile_runtime(os.path.join(RUNTIME_FOLDER, source))
            linked.append((f"runtime/{source}", compile_assembly(assembly, source)))
    return linked


def _text(name: str) -> str:
    with open(os.path.join(RUNTIME_FOLDER, name), encoding="utf-8") as stream:
        return stream.read()


def _routines() -> str:
    return _text("routines.s").replace("@DIVIDE@", "\n".join(["  divs r25, r31, r25, r6"] * 32))


def _check_made_here(path: str, data: bytes) -> None:
    """Other compilers have another calling convention: with their objects results would silently be wrong."""
    for program in read_programs(data, path)[1]:
        functions = [s.name for s in program.symbols if s.kind == "function"]
        known = {s.name for s in program.elf.symbols} if program.elf is not None else set()
        stranger = next((name for name in functions if FRAME_SYMBOL + name not in known), None)
        if stranger is not None:
            raise UserError(
                f"'{stranger}' was not compiled by npuninja-aie2, "
                "whose functions take their arguments otherwise",
                Location(path),
                hint="give the kernel's source instead of an object, or compile everything with Peano: "
                "--provider kernel=real",
            )


def _check_missing(missing: Sequence[str], place: Location) -> None:
    if not missing:
        return
    name = next((n for n in missing if n.startswith(TOO_LARGE)), missing[0])
    if name.startswith(TOO_LARGE):
        raise UserError(
            f"'{name[len(TOO_LARGE) :]}' alone takes more than the 16384 bytes of a core's program "
            "(npuninja-aie2 has no vectors and does not optimise for size)",
            place,
            hint="emulated cores take it (--provider kernel=embedded), "
            "Peano makes it smaller (--provider kernel=real)",
        )
    reason = next((text for pattern, text in _MISSING if re.fullmatch(pattern, name)), None)
    if reason is None:
        raise UserError(
            f"undefined symbol '{name}'",
            place,
            hint="link the object that defines it (link_with, link_files)",
        )
    raise UserError(
        f"npuninja-aie2 cannot link '{name}': {reason}",
        place,
        hint="emulated cores have it (--provider kernel=embedded), Peano may (--provider kernel=real)",
    )


def _stack_need(made: Linked) -> int | None:
    frames = {
        name[len(FRAME_SYMBOL) :]: value
        for name, value in made.absolute.items()
        if name.startswith(FRAME_SYMBOL)
    }

    def need(name: str, above: tuple[str, ...]) -> int | None:
        if name in above or frames.get(name) == UNKNOWN_FRAME:
            return None
        deepest = 0
        for callee in made.uses.get(name, ()):
            below = need(callee, (*above, name))
            if below is None:
                return None
            deepest = max(deepest, below)
        return frames.get(name, 0) + deepest

    return need("__start", ())
