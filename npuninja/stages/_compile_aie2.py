"""Compiling one C or C++ file to AIE2 machine code: clang's assembly of RV32, which npuninja translates."""

from __future__ import annotations

import os
import re

from npuninja.aie2_compiler import compile_assembly
from npuninja.depfile import read_depfile
from npuninja.errors import UserError
from npuninja.stages import _aie2_flags, _kernel_flags, _shift_counts, _shift_search, _wasm_flags
from npuninja.stages._compile import run_compiler
from npuninja.stages._peano_object import check_object
from npuninja.stages._run import Arguments, Outputs, read_text, stage_arguments
from npuninja.stages._tool import remove

KIND = "aie2"
#: Vector types, and the API on them.
_VECTORS = re.compile(r"\bv\d+(?:u?int\d+|bfloat16|acc\d+|accfloat|float|cint\d+)\b|\baie_api/|\baie::")


def compile_for_aie2(stage: str, arguments: list[str], extra_flags: list[str]) -> list[str]:
    """Runs the compiler and the translation for a stage's command line; returns the headers that were read.

    Args:
        stage: its name, for messages.
        arguments: those of `npuninja.stages._compile.compile_file`; the compiler: zig or clang with riscv32.
        extra_flags: put in front of the input.

    Raises:
        UserError: the source does not compile, or needs what is not supported; or the cores are no AIE2.
        ToolError: the compiler cannot be started.
    """
    options = stage_arguments(stage, arguments)
    source, target = options.input(), options.one("-o")
    check_kind(stage, options.one("--kind"))
    with Outputs(target) as outputs:
        temporary = outputs.temporary(target, check_object(KIND, target))
        depfile, assembly = temporary + ".d", temporary + ".s"
        as_errors = ["-Werror"] if "--werror" in options.flags else []
        try:
            _to_assembly(options, source, assembly, depfile, [*extra_flags, *as_errors])
            data = compile_assembly(read_text(assembly), source)
            with open(temporary, "wb") as stream:
                stream.write(data)
            return [path for path in read_depfile(depfile) if path != source]
        finally:
            remove(depfile, assembly)


def check_kind(stage: str, kind: str) -> None:
    """Raises UserError unless the cores are AIE2."""
    if kind != KIND:
        raise UserError(
            f"{stage}: npuninja-aie2 makes code for npu1 (AIE2) only, the device's cores are {kind}",
            hint="npu2 needs Peano (--provider kernel=real), or emulated cores (--provider kernel=embedded)",
        )


def runtime_assembly(options: Arguments, source: str, folder: str) -> str:
    """A source of the runtime as assembly of RV32. Raises as `compile_for_aie2`."""
    made = os.path.join(folder, os.path.basename(source) + ".s")
    try:
        _to_assembly(options, source, made, made + ".d", [])
        return read_text(made)
    finally:
        remove(made, made + ".d")


def _to_assembly(
    options: Arguments, source: str, assembly: str, depfile: str, extra_flags: list[str]
) -> None:
    asked = _kernel_flags.from_options(options)
    command = _aie2_flags.compiler_command(
        options.one("--compiler"), options.all("--compiler-word"), source, asked.language
    )
    command += extra_flags + _aie2_flags.compile_flags(source, options.all("--prefix-map"), asked.language)
    command += _kernel_flags.words(asked)
    if "NO_COLOR" not in os.environ:
        command.append("-fdiagnostics-color=always")
    has_vectors = bool(_VECTORS.search(read_text(source)))
    if has_vectors:
        command.append("-Wfatal-errors")  # the first error says it, the others follow from that
    variables = _wasm_flags.cache_variables(os.path.abspath(options.one("--cache")))
    # `zig cc -S` writes no file where a depfile is asked for; it does when only its clang hears of `-S`.
    wanted = ["-c", "-Xclang", "-S"] if options.all("--compiler-word") else ["-S"]
    code = _aie2_flags.code_command(
        options.one("--compiler"), options.all("--compiler-word"), source, asked.language
    )

    def compile_to(words: list[str], path: str) -> None:
        run_compiler(options, command, words, source, path, depfile, variables)

    try:
        if _shift_search.in_file_or_included(source, asked.include):
            _shift_counts.make_object(
                compile_to, [*code, "-S"], assembly, variables, _shift_counts.as_instructions
            )
        else:
            compile_to(wanted, assembly)
    except UserError as error:
        if not has_vectors:
            raise
        raise UserError(
            f"{error.message}: npuninja-aie2 compiles scalar code only, and it has vectors or the AIE API",
            error.location,
            hint="emulated cores have them (--provider kernel=embedded), and Peano (--provider kernel=real)",
        ) from None
