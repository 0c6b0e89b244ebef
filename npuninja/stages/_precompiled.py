"""The headers that come before the first line of every C++ kernel, kept as the compiler has read them.

Reading them takes most of the time of a small kernel. The compiler keeps what it read in a file beside its
cache, one for each set of flags and state of the headers, made by the first kernel that wants it. It has the
AIE API for kernels that begin by including that. A kernel goes without when its defines or flags could change
the headers, or when another program starts its compiler and could not tell. The object is the same to the
byte either way.
"""

from __future__ import annotations

import hashlib
import json
import os
import re

from npuninja import kernel_headers
from npuninja.stages._first_includes import begins_with_the_api, is_word_of_headers
from npuninja.stages._kernel_flags import KernelFlags
from npuninja.stages._tool import ToolFailed, remove, run_tool

#: What the compiler says of a file that it cannot take.
REFUSED = re.compile(r"error: .*(?:precompiled header|PCH file|AST file|module file)")
_INCLUDED = ["-include", kernel_headers.BEFORE_THE_FIRST_LINE]
# Flags that do not change what the headers say.
_HARMLESS = re.compile(r"-(?:W.*|w|O[123]|I.+)")


def with_precompiled(
    command: list[str], asked: KernelFlags, source: str, folder: str, variables: dict[str, str]
) -> list[str]:
    """A compiler's command, without input and output, that reads the headers' file in place of the headers.

    Args:
        command: of the build's own words, with the flags of `kernel_headers`; without those that the kernel
            asks for.
        asked: what the kernel asks for.
        source: the kernel's file.
        folder: of the compiler's cache.
        variables: of the environment.

    Returns the command as it is where the kernel must go without.
    """
    at = next((i for i in range(len(command) - 1) if command[i : i + 2] == _INCLUDED), None)
    if at is None or not _is_harmless(asked):
        return command
    header = kernel_headers.BEFORE_THE_FIRST_LINE
    if any(word.startswith("-D__AIE_ARCH__") for word in command) and begins_with_the_api(
        source, asked.include
    ):
        header = kernel_headers.WITH_THE_API
    rest = command[:at] + command[at + 2 :]
    file = os.path.join(folder, "headers", f"{_key([*command, header])}.pch")
    if not os.path.exists(file):
        try:
            _make(rest, header, file, variables)
        except (ToolFailed, OSError):  # what is wrong, the kernel's own compilation says
            return command
    return [*command[:at], "-include-pch", file, *command[at + 2 :]]


def without_precompiled(command: list[str]) -> list[str]:
    """The command with the headers in place of their file."""
    if "-include-pch" not in command:
        return command
    at = command.index("-include-pch")
    return [*command[:at], *_INCLUDED, *command[at + 2 :]]


def _is_harmless(asked: KernelFlags) -> bool:
    return (
        not asked.language
        and all(_HARMLESS.fullmatch(flag) for flag in asked.flags)
        and not any(is_word_of_headers(define.partition("=")[0]) for define in asked.defines)
    )


def _key(command: list[str]) -> str:
    """Another one for each compiler, each set of flags and each state of the headers."""
    compiler = os.stat(command[0])
    state: list[object] = [command, compiler.st_size, compiler.st_mtime_ns]
    for folder, _, names in sorted(os.walk(kernel_headers.INCLUDE_FOLDER)):
        for name in sorted(names):
            status = os.stat(os.path.join(folder, name))
            state.append((folder, name, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:24]


def _make(command: list[str], name: str, file: str, variables: dict[str, str]) -> None:
    os.makedirs(os.path.dirname(file), exist_ok=True)
    header = os.path.join(kernel_headers.INCLUDE_FOLDER, *name.split("/"))
    made = f"{file}.{os.getpid()}"
    try:
        run_tool([*command, "-x", "c++-header", header, "-o", made], variables=variables)
        os.replace(made, file)
    finally:
        remove(made)
