"""Stage host_cc: a source of a host program, in C or C++, to an object."""

from __future__ import annotations

import os
import sys
from typing import Iterable

from npuninja.depfile import read_depfile
from npuninja.errors import Location, ToolError, UserError
from npuninja.stages._run import Outputs, ToolFailed, run_tool, stage_arguments

_CPLUSPLUS = (".cc", ".cpp", ".cxx", ".C", ".c++")
#: What programs for today's XRT are written in, where they do not say it.
_DEFAULT_LANGUAGE = "gnu++20"


def run(arguments: list[str]) -> list[str]:
    """Compiles one file; returns the headers that were read.

    Raises:
        ToolError: there is no compiler, or no XRT to compile against.
        UserError: the source does not compile.
    """
    options = stage_arguments("host_cc", arguments)
    source, target = options.input(), options.one("-o")
    check_tools(options.optional("--missing"))
    words = compile_words(
        source, options.optional("--language") or "", options.one("--headers"),
        options.optional("--xrt-include") or "", defines=options.all("--define"), include=options.all("--include"),
        flags=options.all("--flag"),
    )  # fmt: skip
    with Outputs(target) as outputs:
        temporary = outputs.temporary(target)
        depfile = temporary + ".d"
        try:
            command = [
                options.one("--compiler"),
                *words,
                "-MMD",
                "-MF",
                depfile,
                "-c",
                source,
                "-o",
                temporary,
            ]
            sys.stderr.write(run_tool(command))
            return [path for path in read_depfile(depfile) if path != source]
        except ToolFailed as failure:
            sys.stderr.write(failure.output)
            raise UserError("the file does not compile", Location(source)) from failure
        finally:
            if os.path.exists(depfile):
                os.unlink(depfile)


def check_tools(missing: str | None) -> None:
    """Raises ToolError with what configure.py found missing."""
    if missing:
        raise ToolError(f"a host program cannot be built: {missing}", hint="then run configure.py again")


def compile_words(
    source: str,
    language: str,
    headers: str,
    xrt_include: str,
    *,
    defines: Iterable[str] = (),
    include: Iterable[str] = (),
    flags: Iterable[str] = (),
) -> list[str]:
    """The compiler's words between the program and the files.

    Args:
        source: the file; its suffix decides the language where none is given.
        language: a standard as `c++20`, or "".
        headers: the folder of headers for what older C++ libraries lack.
        xrt_include: XRT's headers; "" for those of the system.
        defines, include, flags: further ones, of the program.
    """
    is_cplusplus = source.endswith(_CPLUSPLUS) or "++" in language
    words = (
        [f"-std={language or _DEFAULT_LANGUAGE}"]
        if is_cplusplus
        else [f"-std={language}"]
        if language
        else []
    )
    words += ["-O2", *(f"-D{define}" for define in defines), *(f"-I{folder}" for folder in include)]
    if is_cplusplus:
        # A newer library's <bits/stdc++.h> has these types too, so programs do not all name the header.
        words += ["-idirafter", headers, "-include", "stdfloat"]
    # Behind everything else: the folder may be a whole system's, whose C library is not this one's.
    words += ["-idirafter", xrt_include] if xrt_include else []
    return words + list(flags)
