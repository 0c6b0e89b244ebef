"""What compilers read in addition to their inputs: headers, by the records of Ninja or Make's depfiles."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable

from npuninja.depfile import read_depfile
from npuninja.errors import ToolError

_OUTPUT = re.compile(r"(.*): #deps \d+, deps mtime \d+ \((?:VALID|STALE)\)")
_LOG = ".ninja_deps"


def read_by_ninja(ninja: str, build_folder: str, outputs: Iterable[str]) -> set[str]:
    """What the commands of `outputs` read, of a build in this folder.

    Ninja is asked in a copy: it is running here, and may be at work on its own record.

    Args:
        ninja: the program.
        build_folder: where the record lies, relative to this folder; "" for here.
        outputs: as build.ninja names them.

    Raises:
        ToolError: Ninja fails, or has no record of an output.
    """
    wanted = sorted(outputs)
    if not wanted:
        return set()
    with tempfile.TemporaryDirectory(prefix="npuninja-") as copy:
        os.makedirs(os.path.join(copy, build_folder), exist_ok=True)
        try:
            shutil.copyfile("build.ninja", os.path.join(copy, "build.ninja"))
            shutil.copyfile(os.path.join(build_folder, _LOG), os.path.join(copy, build_folder, _LOG))
            command = [ninja, "-C", copy, "-t", "deps", *wanted]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.SubprocessError) as error:
            raise ToolError(
                f"cannot ask Ninja which headers were read: {error}", hint="run `ninja` first"
            ) from error
    read, known = set(), set()
    for line in done.stdout.splitlines():
        found = _OUTPUT.fullmatch(line)
        if found:
            known.add(found[1])
        elif line.startswith("    "):
            read.add(line[4:])
    missing = [path for path in wanted if path not in known]
    if done.returncode or missing:
        raise ToolError(
            f"Ninja does not know which headers {', '.join(missing) or 'were read'}: "
            f"{done.stderr.strip() or 'no record'}",
            hint="delete those files and build again",
        )
    return read


def read_by_make(outputs: Iterable[str]) -> set[str]:
    """The same of a build by Make, which keeps the depfiles. Raises ToolError when one is missing."""
    read: set[str] = set()
    for path in sorted(outputs):
        try:
            read.update(read_depfile(path + ".d"))
        except OSError as error:
            raise ToolError(
                f"no record of what {path} was made from: {error}", hint="delete it and build again"
            ) from error
    return read
