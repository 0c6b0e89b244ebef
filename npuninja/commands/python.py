"""`npuninja python`: runs a design written in Python and prints its MLIR."""

from __future__ import annotations

import os
import sys
import tempfile

from npuninja import TYPE_CHECKING
from npuninja.arch.families import DEFAULT, FAMILIES
from npuninja.errors import UserError
from npuninja.lowering.generation import CHOICES
from npuninja.python_designs.script import is_jitted, run_design, start_with_bindings
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from npuninja.python_designs.script import Bindings

#: Options that have a value, and what it is without them; of some, what it may be.
_VALUED = {"--generation": "auto", "--device": "", "--provider": "embedded", "--module": ""}
_CHOICES = {
    "--generation": CHOICES,
    "--device": tuple(FAMILIES),
    "--provider": ("embedded", "real", "auto"),
}

USAGE = f"""\
usage: npuninja python DESIGN.py [--generation auto|2025-10|2026-02|2026-08] [--device {"|".join(FAMILIES)}] [--print]
                       [--provider embedded|real|auto] [--module NAME] [-- ARGUMENTS]

Runs a design written for MLIR-AIE's Python bindings without them, and prints what it prints: its MLIR. The
generation says for which release of MLIR-AIE the text is; auto (default) reads it off the imports and says
which it took. With --print, what @iron.jit would compile at the first call is printed, and nothing is
compiled or run; --device is then what get_current_device() gives ({DEFAULT} without it). Words after -- are the
script's own. With --module the script is run as `python -m NAME` would run it.

--provider real has MLIR-AIE's own bindings run it, where they are installed and prove themselves; they print
for the release that they are of. auto takes them when they are there, and says so; embedded (default) is
npuninja's. docs/python-designs.md
"""


class _ScriptCall(NamedTuple):
    """A command line: the script with its own words, and the verb's options by their names."""

    script: str
    words: list[str]
    options: dict[str, str]

    @property
    def prints(self) -> bool:
        """Whether `--print` was given."""
        return "--print" in self.options


def _read(arguments: list[str]) -> _ScriptCall | None:
    """The command line, taken apart; None when it asks for help."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    scripts: list[str] = []
    options = dict(_VALUED)
    words = iter(arguments[:at])
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--print":
            options[word] = "yes"
        elif name in _VALUED:
            options[name] = value if equals else next(words, "")
            if name in _CHOICES and options[name] not in _CHOICES[name]:
                known = ", ".join(_CHOICES[name])
                raise UserError(f"{name} {options[name]}: expected one of {known}")
        elif word in ("-h", "--help") and not scripts:
            return None
        elif word.startswith("-") and not scripts:
            raise UserError(f"npuninja python has no option {word}", hint="words of the script come after --")
        elif scripts:
            raise UserError(f"unexpected {word!r}", hint="words of the script come after --")
        else:
            scripts.append(word)
    if not scripts:
        raise UserError("npuninja python needs a script", hint="npuninja python DESIGN.py -- ARGUMENTS")
    return _ScriptCall(scripts[0], arguments[at + 1 :], options)


def main(arguments: list[str]) -> int:
    """Runs the verb; the script's exit code is the verb's."""
    asked = _read(arguments)
    if asked is None:
        sys.stdout.write(USAGE)
        return 0
    script, generation, module = asked.script, asked.options["--generation"], asked.options["--module"]
    bindings = _bindings(asked)
    if bindings is not None:
        with start_with_bindings(
            bindings, script, asked.words, catches_errors=False, module=module
        ) as started:
            outcome = started.outcome()
        sys.stdout.write(outcome.text)
        return outcome.exit_code
    outcome = run_design(
        script, asked.words, generation=generation, device=asked.options["--device"] or None,
        print_only=asked.prints, module=module,
    )  # fmt: skip
    if generation == "auto":
        reason = outcome.evidence.reason
        where = f" (line {outcome.evidence.line})" if outcome.evidence.line else ""
        said = f"because of {reason}{where}" if reason else "nothing in the imports tells"
        print(f"npuninja python: generation {outcome.evidence.generation}, {said}", file=sys.stderr)
    sys.stdout.write(outcome.text)
    if outcome.exit_code == 0 and asked.prints and not outcome.text.strip():
        raise UserError(
            f"{script} printed no module", hint="a design prints its module, or calls an @iron.jit design"
        )
    return outcome.exit_code


def _bindings(asked: _ScriptCall) -> Bindings | None:
    """MLIR-AIE's bindings, where they are to run the script; None where npuninja's do.

    Raises:
        UserError: they are asked for together with what only npuninja's can do.
        ToolError: they are asked for and not usable.
    """
    script, options = asked.script, asked.options
    provider, generation, device = options["--provider"], options["--generation"], options["--device"]
    if provider == "embedded":
        return None
    from npuninja.configure.python_bindings import bindings_of
    from npuninja.configure.settings import Settings

    if not os.path.isfile(script):
        raise UserError(f"there is no file {script}", hint="npuninja python DESIGN.py -- ARGUMENTS")
    own = [
        said
        for said, given in (
            ("--print of a design under @iron.jit", asked.prints and is_jitted(script)),
            (f"--generation {generation}", generation != "auto"),
            (f"--device {device}", device != ""),
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
            "npuninja python: run by "
            f"{'the bindings of MLIR-AIE in ' + found.folder if found else 'npuninja'}{why}",
            file=sys.stderr,
        )
    return found
