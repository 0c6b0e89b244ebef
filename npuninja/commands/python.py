"""`npuninja python`: runs a design written in Python and prints its MLIR."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING

from npuninja.arch.families import FAMILIES
from npuninja.errors import UserError
from npuninja.lowering.generation import CHOICES
from npuninja.python_designs.script import is_jitted, run_design, start_with_bindings

if TYPE_CHECKING:
    from npuninja.python_designs.script import Bindings

PROVIDERS = ("embedded", "real", "auto")

USAGE = """\
usage: npuninja python DESIGN.py [--generation auto|2025-10|2026-02|2026-08] [--device npu1|npu2] [--print]
                       [--provider embedded|real|auto] [--module NAME] [-- ARGUMENTS]

Runs a design written for MLIR-AIE's Python bindings without them, and prints what it prints: its MLIR. The generation
says for which release of MLIR-AIE the text is; auto (default) reads it off the imports and says which it took. With
--print, what @iron.jit would compile at the first call is printed, and nothing is compiled or run; --device is then what
get_current_device() gives (npu1 without it). Words behind -- are the script's own.
With --module the script is run as `python -m NAME` would run it.

--provider real has MLIR-AIE's own bindings run it, where they are installed and prove themselves; they print for the
release that they are of. auto takes them when they are there, and says so; embedded (default) is npuninja's.
docs/python-designs.md
"""


def main(arguments: list[str]) -> int:
    """Runs the verb; the script's exit code is the verb's."""
    own, theirs = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        own, theirs = arguments[:at], arguments[at + 1 :]
    script: str | None = None
    module = ""
    generation, device, provider, prints = "auto", None, "embedded", False
    words = iter(own)
    for word in words:
        name, has_value, value = word.partition("=")
        if word in ("-h", "--help") and script is None:
            sys.stdout.write(USAGE)
            return 0
        if name in ("--generation", "--device", "--provider", "--module"):
            value = value if has_value else next(words, "")
            if name == "--generation":
                generation = _choice(name, value, CHOICES)
            elif name == "--module":
                module = value
            elif name == "--provider":
                provider = _choice(name, value, PROVIDERS)
            else:
                device = _choice(name, value, tuple(FAMILIES))
        elif word == "--print":
            prints = True
        elif word.startswith("-") and script is None:
            raise UserError(
                f"npuninja python has no option {word}", hint="words of the script stand behind --"
            )
        elif script is None:
            script = word
        else:
            raise UserError(f"unexpected {word!r}", hint="words of the script stand behind --")
    if script is None:
        raise UserError("npuninja python needs a script", hint="npuninja python DESIGN.py -- ARGUMENTS")
    bindings = _bindings(provider, script, prints, generation, device)
    if bindings is not None:
        with start_with_bindings(bindings, script, theirs, catches_errors=False, module=module) as started:
            outcome = started.outcome()
        sys.stdout.write(outcome.text)
        return outcome.exit_code
    outcome = run_design(
        script, theirs, generation=generation, device=device, print_only=prints, module=module
    )
    if generation == "auto":
        reason = outcome.evidence.reason
        where = f" (line {outcome.evidence.line})" if outcome.evidence.line else ""
        said = f"because of {reason}{where}" if reason else "nothing in the imports tells"
        print(f"npuninja python: generation {outcome.evidence.generation}, {said}", file=sys.stderr)
    sys.stdout.write(outcome.text)
    if outcome.exit_code == 0 and prints and not outcome.text.strip():
        raise UserError(
            f"{script} printed no module", hint="a design prints its module, or calls an @iron.jit design"
        )
    return outcome.exit_code


def _bindings(
    provider: str, script: str, prints: bool, generation: str, device: str | None
) -> Bindings | None:
    """MLIR-AIE's bindings, where they are to run the script; None where npuninja's do.

    Raises:
        UserError: they are asked for together with what only npuninja's can do.
        ToolError: they are asked for and not usable.
    """
    if provider == "embedded":
        return None
    from npuninja.configure.python_bindings import bindings_of
    from npuninja.configure.settings import Settings

    if not os.path.isfile(script):
        raise UserError(f"there is no file {script}", hint="npuninja python DESIGN.py -- ARGUMENTS")
    own = [
        said
        for said, given in (
            ("--print of a design under @iron.jit", prints and is_jitted(script)),
            (f"--generation {generation}", generation != "auto"),
            (f"--device {device}", device is not None),
        )
        if given
    ]
    if own and provider == "real":
        raise UserError(
            f"{own[0]} is for npuninja's own bindings, and --provider real takes MLIR-AIE's",
            hint="they print for the release that they are of, and build what is under @iron.jit",
        )
    with tempfile.TemporaryDirectory(prefix="npuninja-") as folder:
        found = None if own else bindings_of(provider, Settings(folder=folder), os.environ, folder)
    if provider == "auto":
        why = (
            f", because of {own[0]}" if own else "" if found else "; MLIR-AIE's bindings are not usable here"
        )
        print(
            f"npuninja python: run by {'the bindings of MLIR-AIE in ' + found.folder if found else 'npuninja'}{why}",
            file=sys.stderr,
        )
    return found


def _choice(option: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise UserError(f"{option} {value}: expected one of {', '.join(allowed)}")
    return value
