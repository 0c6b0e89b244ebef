"""The door: runs a design's script in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

from npuninja.errors import Location, UserError
from npuninja.python_designs.imports import Evidence, generation_of


class Outcome(NamedTuple):
    """What a script wrote on standard output, its exit code, the generation it ran as, and what it wrote on
    standard error where that was caught.
    """

    text: str
    exit_code: int
    evidence: Evidence
    errors: str = ""


def run_design(
    script: str,
    arguments: list[str],
    *,
    generation: str = "auto",
    device: str | None = None,
    print_only: bool = False,
    report: str | None = None,
    cwd: str | None = None,
    stderr: int | None = None,
    time_limit_s: float | None = None,
) -> Outcome:
    """Runs a design and collects what it prints.

    Args:
        script: the design's file.
        arguments: what it finds behind its own name in `sys.argv`.
        generation: one of `CHOICES`.
        device: what `get_current_device()` gives, npu1 or npu2, or None.
        print_only: stop at the first module that `@iron.jit` would compile, and print it.
        report: a JSON file that gets the `files` of all imported modules, and the `kernels` that the module needs.
        cwd: the folder to run in.
        stderr: as for `subprocess.run`.
        time_limit_s: seconds until it is given up.

    Raises:
        UserError: there is no such script, or it does not end in time.
    """
    if not os.path.isfile(script):
        raise UserError(f"there is no file {script}", hint="npuninja python DESIGN.py -- ARGUMENTS")
    evidence = generation_of(script) if generation == "auto" else Evidence(generation, "the command line")
    options = {"generation": evidence.generation, "device": device, "print": print_only, "report": report}
    environment = dict(os.environ)
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, environment.get("PYTHONPATH")]))
    command = [
        sys.executable,
        "-m",
        "npuninja.python_designs.start",
        json.dumps(options),
        os.path.abspath(script),
    ]
    try:
        done = subprocess.run(
            command + arguments, stdin=subprocess.DEVNULL if stderr is not None else None, stdout=subprocess.PIPE,
            stderr=stderr, env=environment, cwd=cwd, timeout=time_limit_s,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UserError(f"the script did not end within {time_limit_s:g} s", Location(script)) from error
    errors = (done.stderr or b"").decode("utf-8", "replace")
    return Outcome(done.stdout.decode("utf-8", "replace"), done.returncode, evidence, errors)
