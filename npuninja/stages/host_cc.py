"""Stage host_cc: a source of a host program, in C or C++, to an object."""

from __future__ import annotations

import sys

from npuninja.depfile import read_depfile
from npuninja.errors import Location, ToolError, UserError
from npuninja.stages._host_flags import compile_words
from npuninja.stages._run import Outputs, stage_arguments
from npuninja.stages._tool import ToolFailed, remove, run_tool

_BOOST = (
    "Boost is not installed, and npuninja's header in its place is for programs that do not use what they "
    "include: install Boost's program_options (Debian: libboost-program-options-dev)"
)


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
        options.optional("--xrt-include") or "", defines=options.all("--define"),
        include=options.all("--include"), flags=options.all("--flag"),
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
            hint = _BOOST if "program_options" in failure.output else ""
            raise UserError("the file does not compile", Location(source), hint=hint) from failure
        finally:
            remove(depfile)


def check_tools(missing: str | None) -> None:
    """Raises ToolError with what configure.py found missing."""
    if missing:
        raise ToolError(f"a host program cannot be built: {missing}", hint="then run configure.py again")
