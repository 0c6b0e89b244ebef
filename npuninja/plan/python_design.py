"""Designs in Python: `mlir/NAME.py` prints MLIR on stdout, or is under `@iron.jit`: then its module is taken.

A program is run while planning, in a process of its own, where `aie` is npuninja's (docs/python-designs.md).
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError
from npuninja.python_designs.script import (
    Bindings,
    generation_of,
    is_jitted,
    start_design,
    start_with_bindings,
)
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any

TIME_LIMIT_S = 60.0
WHAT_IT_DOES = "a design in Python prints its MLIR on stdout"
# Files of the machine, which nobody edits together with a design.
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/lib/", "/usr/share/")
# What a module's text can begin with: a comment, an alias, or an operation, most of them `module`.
_BEGINNING = re.compile(r'module\b|//|[#!%]|"?[a-z_]+\.[a-z_]')


class PythonDesign(NamedTuple):
    """What a script printed, files it imported or read, its kernels, and its flags of MLIR-AIE's driver."""

    text: str
    imports: tuple[str, ...]
    kernels: tuple[dict[str, Any], ...]
    aiecc_flags: tuple[str, ...] = ()


class StartedDesign:
    """A design's script that runs with `arguments` in `folder`, or in the project. Use it in a `with`.

    It has MLIR-AIE's own bindings where they are given, else npuninja's, which are as those of `generation`.
    A design under `@iron.jit` prints nothing by itself, and MLIR-AIE's bindings would build it whole: so it
    has npuninja's, which stop at its module.

    Raises:
        UserError: the script is not there, or is under `@iron.jit` and MLIR-AIE's bindings were asked for.
    """

    def __init__(
        self,
        script: str,
        source_root: str,
        arguments: Sequence[str] = (),
        bindings: Bindings | None = None,
        module: str = "",
        folder: str = "",
        generation: str = "auto",
    ) -> None:
        jitted = bindings is not None and is_jitted(script)
        if bindings is not None and jitted and bindings.asked_for:
            raise UserError(
                "the design is under @iron.jit, which MLIR-AIE's bindings build whole instead of printing it",
                Location(script),
                hint="--provider python=embedded prints its module",
            )
        self._script, self._bindings = script, bindings if not jitted else None
        self._theirs = os.path.realpath(bindings.folder) + os.sep if bindings is not None else ""
        words, where = list(arguments), folder or source_root
        with ExitStack() as until_started:
            temporary = until_started.enter_context(tempfile.TemporaryDirectory(prefix="npuninja-"))
            self._report = os.path.join(temporary, "modules.json")
            if self._bindings is not None:
                started = start_with_bindings(
                    self._bindings, script, words, report=self._report, cwd=where, module=module
                )
            else:
                started = start_design(
                    os.path.abspath(script), words, print_only=True, report=self._report, cwd=where,
                    catches_errors=True, module=module, generation=generation, may_copy=True,
                )  # fmt: skip
            self._started = until_started.enter_context(started)
            self._at_the_end = until_started.pop_all()

    def __enter__(self) -> StartedDesign:
        return self

    def __exit__(self, *error: Any) -> None:
        self._at_the_end.close()

    def result(self) -> PythonDesign:
        """What it has printed, when it has ended.

        Raises:
            UserError: it fails, prints nothing or something else, or does not end within the time limit.
        """
        script = self._script
        outcome = self._started.outcome(TIME_LIMIT_S)
        if outcome.exit_code:
            printed = outcome.errors.strip()
            raise UserError(
                f"the script failed with exit code {outcome.exit_code}",
                Location(script),
                notes=((f"it printed:\n{printed}", None),) if printed else (),
                hint=_other_bindings(script) if self._bindings is not None else WHAT_IT_DOES,
            )
        _check_text(outcome.text, script)
        with open(self._report, encoding="utf-8") as stream:
            content = json.load(stream)
        files = {f for f in content["files"] if _is_own(f, self._theirs) and not _same(f, script)}
        return PythonDesign(
            outcome.text, tuple(sorted(files)), tuple(content["kernels"]), tuple(content["flags"])
        )


def run_python_design(script: str, source_root: str) -> PythonDesign:
    """Runs a script in the project with npuninja's bindings. Raises as `StartedDesign` and `result` do."""
    with StartedDesign(script, source_root) as started:
        return started.result()


def _other_bindings(script: str) -> str:
    """What to do about a design that MLIR-AIE's bindings, which are of one release, do not print."""
    evidence = generation_of(script)
    seems = (
        f"; the design seems to be of {evidence.generation}, because of {evidence.reason}"
        if evidence.reason
        else ""
    )
    return (
        f"MLIR-AIE's bindings ran it, which are of one release{seems}. "
        "--provider python=embedded prints it for the release that it is of"
    )


def _check_text(text: str, script: str) -> None:
    if not text.strip():
        raise UserError("the script printed nothing", Location(script), hint=WHAT_IT_DOES)
    first = next(line.strip() for line in text.splitlines() if line.strip())
    if _BEGINNING.match(first):
        return
    if any(line.startswith(("module", "aie.device")) for line in text.splitlines()):
        raise UserError(
            f"the script printed text before its MLIR: {first[:80]!r}",
            Location(script),
            hint="what is not MLIR belongs on stderr: print(…, file=sys.stderr)",
        )
    raise UserError(
        f"the script printed what is no MLIR: {first[:80]!r}", Location(script), hint=WHAT_IT_DOES
    )


def _is_own(file: str, bindings: str) -> bool:
    """Whether a file is the design's, wherever it lies; not those of installed packages, Python, npuninja or
    the folder of other bindings ("" for none).
    """
    path = os.path.realpath(file)
    if bindings and path.startswith(bindings):
        return False
    parts = path.split(os.sep)
    if (
        not os.path.isfile(path)
        or "site-packages" in parts
        or "dist-packages" in parts
        or path.startswith(_SYSTEM)
    ):
        return False
    return not any(path.startswith(folder + os.sep) for folder in _installed())


@functools.cache
def _installed() -> tuple[str, ...]:
    """The folders of Python's own modules, of this environment, and of npuninja."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folders = {sys.prefix, sys.base_prefix, os.path.dirname(os.__file__), package}
    return tuple(os.path.realpath(folder) for folder in folders if len(folder) > 1 and folder != "/usr")


def _same(file: str, other: str) -> bool:
    return os.path.realpath(file) == os.path.realpath(other)
