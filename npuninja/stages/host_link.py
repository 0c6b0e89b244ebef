"""Stage host_link: the objects of a host program and XRT's library to a program."""

from __future__ import annotations

import os
import stat
import sys

from npuninja.errors import Location, UserError
from npuninja.stages._run import Outputs, stage_arguments
from npuninja.stages._tool import ToolFailed, run_tool
from npuninja.stages.host_cc import check_tools


def run(arguments: list[str]) -> None:
    """Links one program.

    Raises:
        ToolError: there is no compiler, or no XRT to link with.
        UserError: something that the objects need is defined nowhere.
    """
    options = stage_arguments("host_link", arguments)
    target, xrt = options.one("-o"), options.optional("--xrt-library")
    check_tools(options.optional("--missing"))
    with Outputs(target) as outputs:
        temporary = outputs.temporary(target)
        command = [options.one("--compiler"), *options.positional, "-o", temporary]
        # XRT may be of a newer system, with its own C library; what it needs is found at the program's start.
        command += [word for name in options.all("--library") for word in _library_words(name)]
        command += ["-pthread", *([xrt] if xrt else []), "-Wl,--allow-shlib-undefined"]
        try:
            sys.stderr.write(run_tool(command))
        except ToolFailed as failure:
            sys.stderr.write(failure.output)
            raise UserError("the program does not link", Location(options.positional[0])) from failure
        mode = os.stat(temporary).st_mode
        os.chmod(temporary, mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _library_words(name: str) -> list[str]:
    """The linker's words for a library: a name, or a file's path, which the program finds when it starts."""
    if "/" not in name:
        return [f"-l{name}"]
    path = os.path.abspath(name)
    return [path] if path.endswith(".a") else [path, f"-Wl,--enable-new-dtags,-rpath,{os.path.dirname(path)}"]
