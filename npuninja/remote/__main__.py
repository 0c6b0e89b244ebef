"""Comes before a stage's command: has a service run it, and puts the results where the stage would.

    PYTHON -S -E npuninja/remote/__main__.py REMOTE.json --needs FILE… --makes FILE… -- STAGE ARGUMENT…

Nothing is ever run here instead: a build that silently became slow, or took another compiler, helps nobody.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile

sys.path[0] = os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
)  # as in npuninja/stages/__main__.py

try:
    from npuninja.depfile import ROOT
    from npuninja.errors import INTERRUPTED, Error, InternalError, ToolError, report, report_bug
    from npuninja.file_kinds import C_SUFFIXES
    from npuninja.remote.action import Action, as_here, depfile_as_here, make_action
    from npuninja.remote.includes import included_files
    from npuninja.remote.settings import WRONG_WORKER, RemoteSettings, read_remote_settings
    from npuninja.remote.trexe import run_action
    from npuninja.stages._build_lock import LOCK, claim_build_folder
    from npuninja.stages._run import Outputs, with_words
except KeyboardInterrupt:  # before anything was begun
    sys.stderr.write("interrupted\n")
    sys.exit(130)

LOG = "remote.log"  # beside the settings


def main(arguments: list[str]) -> int:
    """Runs one command remotely; returns its exit code, or that of the error."""
    try:
        needs, makes, words = _take_apart(arguments[1:])
        words = with_words(words)
        settings = read_remote_settings(arguments[0])
        claim_build_folder(os.path.join(os.path.dirname(arguments[0]), LOCK))
        for source in [path for path in needs if path.endswith(C_SUFFIXES)]:
            needs += [path for path in included_files(source) if path not in needs]
        copies = _copies_of_modules(words)
        needs += [module for module in copies.values() if module not in needs]
        log = os.path.join(os.path.dirname(arguments[0]), LOG)
        action = make_action(settings, words, needs, [*makes, *copies])
        return run_remotely(settings, action, log, may_be_empty=tuple(copies))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Error as error:
        return report(error)
    except Exception:
        return report_bug()


def _take_apart(arguments: list[str]) -> tuple[list[str], list[str], list[str]]:
    try:
        makes, end = arguments.index("--makes"), arguments.index("--")
        if arguments[0] != "--needs":
            raise ValueError
    except ValueError as error:
        raise InternalError(f"not a command for another machine: {' '.join(arguments)}") from error
    return arguments[1:makes], arguments[makes + 1 : end], arguments[end + 1 :]


def _copies_of_modules(words: list[str]) -> dict[str, str]:
    """The modules beside a reference, which no graph knows and its stage finds by reading: copy -> module."""
    if "--reference" not in words or "--reference-copy" not in words:
        return {}
    from npuninja.stages.manifest import copied_modules  # only where there is a reference

    reference, copy = (words[words.index(option) + 1] for option in ("--reference", "--reference-copy"))
    return copied_modules(reference, copy)


def run_remotely(
    settings: RemoteSettings, action: Action, log: str, may_be_empty: tuple[str, ...] = ()
) -> int:
    """Has an action done and puts its outputs in place; returns its exit code.

    An output whose bytes did not change keeps its time. When the action fails, none of its outputs exists.

    Args:
        settings: of the build folder.
        action: what is to be done.
        log: a file that gets a line about it: whether the result was cached, which worker made it, the first
            output.
        may_be_empty: outputs that may have no content.

    Raises:
        ToolError: the service did not do it, or made less than it should.
    """
    # Relative, as Python before 3.12 gives it: a `:` in the way to here would end the path for the client.
    folder = os.path.relpath(tempfile.mkdtemp(prefix=".new-remote", dir=_folder_for_temporaries(action)))
    try:
        tree, made = os.path.join(folder, "in"), os.path.join(folder, "out")
        _make_tree(tree, action)
        os.mkdir(made)
        with Outputs(*(path for path in action.outputs if path != action.depfile)) as outputs:
            outputs.may_be_empty(*may_be_empty)
            result = run_action(settings.trexe, settings.address, action, tree, made, folder)
            with open(log, "a", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(
                    f"{'cached' if result.cached else 'ran'}\t{result.worker or '-'}\t{action.outputs[0]}\n"
                )
            printed = as_here(settings, ROOT, result.printed)
            # Workers always colour, so that the result does not depend on the terminal that asks.
            sys.stderr.write(
                re.sub(r"\x1b\[[0-9;]*[mK]", "", printed) if "NO_COLOR" in os.environ else printed
            )
            if result.exit_code:
                raise _Failed(result.exit_code)
            for path in outputs.paths:
                outputs.write(path, _read_output(made, path))
            depfile = _read_output(made, action.depfile) if action.depfile else b""
        if action.depfile:
            with open(action.depfile, "w", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(depfile_as_here(settings, ROOT, depfile.decode("utf-8", "surrogateescape")))
    except _Failed as failed:
        if failed.code == WRONG_WORKER:
            raise ToolError(
                f"the worker that {settings.address} chose has another toolchain",
                hint="when npuninja or a tool has changed, "
                "start the farm again (`npuninja farm up`) and run configure.py",
            ) from failed
        return failed.code
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


class _Failed(Exception):
    """The stage ran and did not succeed; it has said why."""

    def __init__(self, code: int) -> None:
        self.code = code


def _folder_for_temporaries(action: Action) -> str:
    """Beside the first output; relative, as a `:` in the path of the tree has a meaning for trexe."""
    folder = os.path.dirname(action.outputs[0]) or "."
    os.makedirs(folder, exist_ok=True)
    return os.path.relpath(folder)


def _make_tree(tree: str, action: Action) -> None:
    """A tree of links to the inputs, with the folder in which the action runs."""
    os.makedirs(os.path.join(tree, action.folder))
    for place, path in action.inputs.items():
        link = os.path.join(tree, place)
        os.makedirs(os.path.dirname(link), exist_ok=True)
        if not os.path.isfile(path):
            raise ToolError(f"the input {path} is not there")
        os.symlink(os.path.abspath(path), link)


def _read_output(made: str, path: str) -> bytes:
    try:
        with open(os.path.join(made, path), "rb") as stream:
            return stream.read()
    except OSError as error:
        raise ToolError(f"the command succeeded on its worker, but made no {path}") from error


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
