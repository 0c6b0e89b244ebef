"""Compiling one C or C++ file for a core, emulated or real: command, depfile, what its failures mean."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable

from npuninja import kernel_headers
from npuninja.arch.families import architectures
from npuninja.depfile import read_depfile
from npuninja.errors import Location, UserError, Warnings
from npuninja.file_kinds import CXX_SUFFIXES, WASM_MAGIC
from npuninja.formats.wasm_module import read_wasm
from npuninja.lints.kernel_code import KernelFunction, read_functions
from npuninja.stages import _kernel_flags, _peano_flags, _shift_search, _wasm_flags
from npuninja.stages._run import Arguments, Check, Outputs, print_warnings, read_bytes, stage_arguments
from npuninja.stages._tool import ToolFailed, remove, run_tool
from npuninja.stages._wasm_object import read_symbols

# Settings of ccache and sccache, which only say where and how much they keep.
LAUNCHER_VARIABLES = ("CCACHE_", "SCCACHE_")
# Of no interest in a depfile: the headers are a part of the program.
_FIRST_HEADERS = tuple(
    os.path.join(kernel_headers.INCLUDE_FOLDER, *name.split("/"))
    for name in (kernel_headers.BEFORE_THE_FIRST_LINE, kernel_headers.WITH_THE_API)
)
# Frames that may be too large for a core's usual stack (1024 bytes); then loops up to this cost are unrolled.
_LARGE_FRAME_BYTES = 512
_UNROLLING, _MORE_UNROLLED = "-unroll-threshold=", 4000
_LONGER = 2  # times the object, from which on it is not worth it

_EXTERN_C = r"extern \"C\""
# What the API has for the newer cores alone.
_OF_AIE2P = frozenset(("exp2", "tanh"))
# A part of the compiler's message, and what to do about it.
HINTS: tuple[tuple[str, str], ...] = (
    (r"use of undeclared identifier 'aie'", "#include <aie_api/aie.hpp> brings the AIE API"),
    (
        r"the AIE API is C\+\+, and this file is compiled as C",
        'this is C++ in a .c file: rename it to .cc, say language = "c++20" for the object in '
        'toolchain.toml, or guard extern "C" with #ifdef __cplusplus',
    ),
    (
        r"'aiebase[^']*' file not found|'aie_api/[^']*' file not found",
        "the embedded compiler has the AIE API's headers that kernels include; docs/kernels.md lists them",
    ),
    (
        r"'[^']+' file not found",
        "a core has the part of the C and C++ library that docs/kernels.md lists; "
        "other headers must be in an include folder",
    ),
    (
        _EXTERN_C,
        'extern "C" is C++: rename the file to .cc, guard it with #ifdef __cplusplus, or say in '
        'toolchain.toml [kernel."OBJECT.o"] language = "c++"',
    ),
    # How sources ask for a macro that their Makefile gives: by #error, or by using its name.
    (
        r"\| *#\s*error\b|use of undeclared identifier '[A-Z][A-Z0-9_]+'",
        "a macro that a Makefile gives with -D is in toolchain.toml: "
        '[kernel."OBJECT.o"] defines = ["NAME=VALUE"]; or, for one build, configure.py --define NAME=VALUE',
    ),
)
_UNKNOWN_IN_AIE = (
    r"no (?:member|type|template) named '(\w+)' in namespace '(?:::)?aie'|"
    r"no (?:type|template) named '(\w+)' in namespace 'aie'"
)


Lint = Callable[[list[KernelFunction], Warnings], None]
"""Looks at the functions of an object; says where warnings go."""


def compile_file(
    stage: str, arguments: list[str], extra_flags: list[str], lint: Lint | None = None
) -> list[str]:
    """Runs the compiler for a stage's command line; returns the headers that were read.

    Args:
        stage: its name, for messages.
        arguments: `SOURCE -o OBJECT --compiler EXE [--compiler-word W]… --kind K [--cache DIR] [--prefix-map
            OLD=NEW]… [--include DIR]… [--architecture A] [--launcher EXE] [--werror]`, and those of
            `_kernel_flags`. For `wasm` zig or clang, which need the cache; for the others Peano's clang.
        extra_flags: put in front of the input.
        lint: run on an object for emulated cores.

    Raises:
        UserError: the source does not compile (the compiler's own messages are on stderr already), or there
            is no such core kind.
        ToolError: the compiler cannot be started.
    """
    options = stage_arguments(stage, arguments)
    as_errors = "--werror" in options.flags
    source, target = options.input(), options.one("-o")
    kind = options.one("--kind")
    if kind not in ("wasm", *architectures()):
        known = ", ".join(("wasm", *architectures()))
        raise UserError(f"{stage}: cannot compile for core kind {kind!r}", hint=f"core kinds: {known}")
    with Outputs(target) as outputs:
        temporary = outputs.temporary(target, _check_object if kind == "wasm" else _check_of(kind, target))
        depfile = temporary + ".d"
        try:
            command, shifts = _run_compiler(
                options, source, temporary, depfile, [*extra_flags, *(["-Werror"] if as_errors else [])]
            )
            warnings = Warnings()
            if lint is not None and kind == "wasm":
                lint(_with_smaller_frames(command, shifts, options, source, temporary, target), warnings)
            print_warnings(warnings, as_errors=as_errors)
            return [path for path in read_depfile(depfile) if path not in (source, *_FIRST_HEADERS)]
        finally:
            remove(depfile)


def _with_smaller_frames(
    command: list[str], shifts: bool, options: Arguments, source: str, made: str, name: str
) -> list[KernelFunction]:
    """Compiles an object with large frames again, with more loops unrolled; takes that when they are smaller.

    An array of accumulators is in registers when all loops over it are unrolled, as Peano does. Returns the
    functions of the object that stays.
    """
    functions = _functions(made, name)
    place = next((i for i, word in enumerate(command) if word.startswith(_UNROLLING)), None)
    if place is None or _largest_frame(functions) < _LARGE_FRAME_BYTES:
        return functions
    other = made + ".unrolled"
    launcher = [options.one("--launcher")] if options.optional("--launcher") else []
    words = [*launcher, *command[:place], _UNROLLING + str(_MORE_UNROLLED), *command[place + 1 :], "-w"]
    variables = _wasm_flags.cache_variables(os.path.abspath(options.one("--cache")))

    def compile_again(wanted: list[str], path: str) -> None:
        run_tool(
            [*words, *wanted, source, "-o", path], variables=_with_launcher_variables(options, variables)
        )

    try:
        if shifts:
            _with_shifts(compile_again, options, source, other, variables)
        else:
            compile_again(["-c"], other)
        if os.path.getsize(other) <= _LONGER * os.path.getsize(made):
            unrolled = _functions(other, name)
            if _largest_frame(unrolled) < _largest_frame(functions):
                os.replace(other, made)
                return unrolled
    except ToolFailed:
        pass
    finally:
        remove(other)
    return functions


def _functions(path: str, name: str) -> list[KernelFunction]:
    """The functions of an object for emulated cores, which messages call `name`."""
    data = read_bytes(path)
    return read_functions(read_wasm(data, name), read_symbols(data, name).function_names, name)


def _largest_frame(functions: list[KernelFunction]) -> int:
    return max((function.frame_bytes for function in functions), default=0)


def _with_launcher_variables(options: Arguments, variables: dict[str, str]) -> dict[str, str]:
    """The environment of a compiler, with what its launcher reads where there is one."""
    if not options.optional("--launcher"):
        return variables
    return {**variables, **{k: v for k, v in os.environ.items() if k.startswith(LAUNCHER_VARIABLES)}}


def _code_command(options: Arguments, source: str) -> list[str]:
    """The start of the command that makes an object of what the compiler has optimised."""
    language = _kernel_flags.from_options(options).language
    words = _wasm_flags.compiler_command(
        options.one("--compiler"), options.all("--compiler-word"), source, language
    )
    return [*words, *_wasm_flags.CODE_FLAGS, "-c"]


def _with_shifts(
    compile_to: Callable[[list[str], str], None],
    options: Arguments,
    source: str,
    target: str,
    variables: dict[str, str],
) -> None:
    """Makes the object of a source that shifts by counts known at run time."""
    from npuninja.stages._shift_counts import make_object  # 5 ms, and few kernels have such shifts

    make_object(compile_to, _code_command(options, source), target, variables)


def _run_compiler(
    options: Arguments, source: str, target: str, depfile: str, extra_flags: list[str]
) -> tuple[list[str], bool]:
    """Compiles; returns the command without its words for the output, and whether shifts were written out."""
    compiler, kind, maps = options.one("--compiler"), options.one("--kind"), options.all("--prefix-map")
    asked = _kernel_flags.from_options(options)
    language = asked.language
    if kind == "wasm":
        command = _wasm_flags.compiler_command(compiler, options.all("--compiler-word"), source, language)
        architecture = options.optional("--architecture")
        command += extra_flags + _wasm_flags.compile_flags(
            source, maps, architecture, language, asked.float or "exact"
        )
        cache = os.path.abspath(options.one("--cache"))
        variables = _wasm_flags.cache_variables(cache)
        if _wasm_flags.is_cxx(source, language) and not options.optional("--launcher"):
            from npuninja.stages._precompiled import with_precompiled  # 3 ms with what it imports

            command = with_precompiled(command, asked, source, cache, variables)
    else:
        command = _peano_flags.compiler_command(compiler, kind, source, language)
        own = _peano_flags.compile_flags(source, maps, options.all("--include"), language)
        command += extra_flags + own
        variables = {}
    command += _kernel_flags.words(asked)
    if "NO_COLOR" not in os.environ:
        command.append("-fdiagnostics-color=always")  # Ninja takes the colour out where there is no terminal

    def compile_to(wanted: list[str], path: str) -> None:
        run_compiler(options, command, wanted, source, path, depfile, variables)

    is_kernel = kind == "wasm" and options.stage == "kernel_cc"
    shifts = is_kernel and _shift_search.in_file_or_included(source, asked.include)
    if not shifts:
        compile_to(["-c"], target)
        # A header whose name a macro says was not seen before.
        shifts = is_kernel and any(map(_shift_search.in_file, read_depfile(depfile)))
    if shifts:
        _with_shifts(compile_to, options, source, target, variables)
    return command, shifts


def run_compiler(
    options: Arguments,
    command: list[str],
    wanted: list[str],
    source: str,
    target: str,
    depfile: str,
    variables: dict[str, str],
) -> None:
    """Runs a compiler's command; what it says goes to stderr.

    Args:
        options: of the stage: the launcher.
        command: up to the words that say what is wanted.
        wanted: `-c`, or `-S`.
        source, target, depfile: files.
        variables: of the environment.

    Raises:
        UserError: the source does not compile.
    """
    launcher = options.optional("--launcher")
    if launcher:
        command = [launcher, *command]
    variables = _with_launcher_variables(options, variables)
    outputs = ["-MMD", "-MF", depfile, *wanted, source, "-o", target]
    try:
        output = run_tool([*command, *outputs], variables=variables)
    except ToolFailed as failure:
        from npuninja.stages._conditionals import AMBIGUOUS  # only on the way to an error
        from npuninja.stages._precompiled import REFUSED, without_precompiled

        plain = re.sub(r"\x1b\[[0-9;]*[mK]", "", failure.output)
        if REFUSED.search(plain) and "-include-pch" in command:
            return run_compiler(
                options, without_precompiled(command), wanted, source, target, depfile, variables
            )
        if AMBIGUOUS.search(plain):
            said = _with_conditionals(command, outputs, target, variables)
            if said is not None:
                sys.stderr.write(said)
                return
        from npuninja.stages._compiler_messages import shortened

        sys.stderr.write(shortened(failure.output))
        raise _refused(plain, source, "-std=c++20" in command) from failure
    sys.stderr.write(output)


def _refused(plain: str, source: str, is_cxx: bool) -> UserError:
    """The error for a source that does not compile, of which the compiler has said `plain`."""
    unknown = re.search(_UNKNOWN_IN_AIE, plain)
    if unknown:
        name = unknown[1] or unknown[2]
        what = "there for AIE2P (npu2) only" if name in _OF_AIE2P else "not offered by the embedded compiler"
        return UserError(f"aie::{name} is {what} (docs/kernels.md)", Location(source))
    is_cxx = is_cxx or source.endswith(CXX_SUFFIXES)
    hints = (
        text for pattern, text in HINTS if not (is_cxx and pattern == _EXTERN_C) and re.search(pattern, plain)
    )
    return UserError("the file does not compile", Location(source), hint=next(hints, None))


def _with_conditionals(
    command: list[str], outputs: list[str], target: str, variables: dict[str, str]
) -> str | None:
    """Compiles a source with `? :` of bfloat16 and other numbers.

    Returns what the compiler said, or None where it still fails.
    """
    from npuninja.stages._conditionals import RANGE_FLAGS, ROUNDS, Conditionals

    conditionals = Conditionals(target + ".text")
    flags: list[str] = []
    try:
        for _ in range(ROUNDS):
            try:
                said = run_tool([*command, *flags, *RANGE_FLAGS, *outputs], variables=variables)
            except ToolFailed as failure:
                if not conditionals.take(failure.output):
                    return None
                flags = conditionals.flags()
            else:  # warnings as they look elsewhere
                return run_tool([*command, *flags, *outputs], variables=variables) if said else ""
    finally:
        conditionals.close()
    return None


def _check_of(kind: str, target: str) -> Check:
    from npuninja.stages._peano_object import check_object  # 3 ms, and only Peano makes such objects

    return check_object(kind, target)


def _check_object(data: bytes) -> None:
    if not data.startswith(WASM_MAGIC):
        raise UserError(
            "the compiler did not make a wasm object", hint="give a clang that has the target wasm32"
        )
