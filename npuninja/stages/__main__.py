"""Starts one stage: `PYTHON -S -E npuninja/stages [--lock FILE] STAGE ARGUMENT…`.

`--lock` is what Ninja's rules say: see npuninja/stages/_build_lock.py.
"""

from __future__ import annotations

import gc
import os
import sys

# Instead of this folder, whose modules must be found as npuninja.stages.… only.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

try:
    if sys.dont_write_bytecode:  # where Python's variables count, in a run
        from npuninja.own_bytecode import keep_own_bytecode

        keep_own_bytecode()
    from npuninja.depfile import ROOT, own_modules, write_depfile
    from npuninja.errors import INTERRUPTED, Error, UserError, report, report_bug
    from npuninja.files import foreign_error
    from npuninja.leaving import leave
    from npuninja.stages._build_lock import claim_build_folder
    from npuninja.stages._run import SEPARATOR, with_words
    from npuninja.stages._words_first import with_words_first
except KeyboardInterrupt:  # before anything was begun
    sys.stderr.write("interrupted\n")
    sys.exit(130)

#: Some ten megabytes; a small design makes fewer.
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
DECLARATIONS = ("declaration.py", "table.py")


PIPE_CLOSED = 141  # what shells give for a program that SIGPIPE ended: 128 + 13


def stage_names() -> list[str]:
    """The stages there are: the modules of this folder that run one."""
    files = os.listdir(os.path.join(ROOT, "npuninja", "stages"))
    return sorted(
        f[:-3] for f in files if f.endswith(".py") and not f.startswith("_") and f not in DECLARATIONS
    )


def modules_are_said(arguments: list[str]) -> bool:
    """Whether the command names the modules that it consists of: in a batch, that of each stage."""
    stages = arguments.count(SEPARATOR) if arguments[0] == "batch" else 1
    return arguments.count("--modules") == stages


def main(arguments: list[str]) -> int:
    """Runs the stage `arguments[0]`, writes its depfile for `--depfile FILE`; returns the exit code."""
    try:
        lock = None
        if len(arguments) > 1 and arguments[0] == "--lock":
            lock, arguments = arguments[1], arguments[2:]
            # What makes files keeps nearly all it makes to its end: looking for garbage finds little.
            gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        arguments = with_words(arguments)
        if not arguments or arguments[0] not in stage_names():
            raise UserError(
                f"there is no stage {arguments[0]!r}" if arguments else "no stage given",
                hint="stages: " + ", ".join(stage_names()),
            )
        if "--help" in arguments[1:] and arguments[0] != "run":
            from npuninja.stages.declaration import help_text
            from npuninja.stages.table import stage

            sys.stdout.write(help_text(stage(arguments[0])))
            return 0
        if lock is not None and "-o" in arguments:
            claim_build_folder(lock)
        module = __import__(f"npuninja.stages.{arguments[0]}", fromlist=["run"])
        read = module.run(arguments[1:]) or []
        if "--depfile" in arguments:
            # Make's stamps stand for the output; for Ninja it is the output itself.
            named = "--depfile-target" if "--depfile-target" in arguments else "-o"
            target = arguments[arguments.index(named) + 1]
            modules = [] if modules_are_said(arguments) else own_modules(ROOT)
            write_depfile(arguments[arguments.index("--depfile") + 1], target, [*read, *modules])
    except Error as error:
        return report(error)
    except BrokenPipeError:
        # The reader has gone (`ninja run-x | head`): nobody wants to know more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        meant = foreign_error(error)
        return report(meant) if meant is not None else report_bug()
    return 0


if __name__ == "__main__":
    leave(with_words_first(main, sys.argv[1:]))
