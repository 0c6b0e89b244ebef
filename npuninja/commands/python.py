"""`npuninja python`: runs a design written in Python and prints its MLIR."""

from __future__ import annotations

import sys

from npuninja.arch.families import FAMILIES
from npuninja.errors import UserError
from npuninja.lowering.generation import CHOICES
from npuninja.python_designs.script import run_design

USAGE = """\
usage: npuninja python DESIGN.py [--generation auto|2025-10|2026-02|2026-08] [--device npu1|npu2] [--print]
                       [-- ARGUMENTS]

Runs a design written for MLIR-AIE's Python bindings without them, and prints what it prints: its MLIR. The generation
says for which release of MLIR-AIE the text is; auto (default) reads it off the imports and says which it took. With
--print, what @iron.jit would compile at the first call is printed, and nothing is compiled or run; --device is then what
get_current_device() gives (npu1 without it). Words behind -- are the script's own.
docs/python-designs.md
"""


def main(arguments: list[str]) -> int:
    """Runs the verb; the script's exit code is the verb's."""
    own, theirs = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        own, theirs = arguments[:at], arguments[at + 1 :]
    script: str | None = None
    generation, device, prints = "auto", None, False
    words = iter(own)
    for word in words:
        name, has_value, value = word.partition("=")
        if word in ("-h", "--help") and script is None:
            sys.stdout.write(USAGE)
            return 0
        if name in ("--generation", "--device"):
            value = value if has_value else next(words, "")
            if name == "--generation":
                generation = _choice(name, value, CHOICES)
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
    outcome = run_design(script, theirs, generation=generation, device=device, print_only=prints)
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


def _choice(option: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise UserError(f"{option} {value}: expected one of {', '.join(allowed)}")
    return value
