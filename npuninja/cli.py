"""The command `npuninja VERB …`. Loads only the module of the verb that is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

from npuninja.errors import INTERRUPTED, Error, UserError, report, report_bug
from npuninja.suggestions import did_you_mean

# Verb -> module with `main(arguments: list[str]) -> int` (or `module:function`), and what it does.
# `FOLDER/module` is a program beside this package, in npuninja's source tree.
VERBS: dict[str, tuple[str, str]] = {
    "init": ("npuninja.commands.init", "make a project of your own"),
    "configure": ("npuninja.commands.project:configure", "what configure.py does, in the project here"),
    "build": ("npuninja.commands.project:build", "build the project here, or some targets"),
    "test": ("npuninja.commands.project:test", "run and verify all designs of the project here, or some"),
    "watch": ("npuninja.commands.watch", "build, run and verify a design after every edit"),
    "list": ("npuninja.commands.project:list_project", "the designs and presets of the project here"),
    "clean": ("npuninja.commands.project:clean", "delete what the build has made"),
    "report": ("npuninja.commands.report", "a page for each design: floorplan, memory, test"),
    "language-server": (
        "npuninja.commands.language_server",
        "designs in editors, over the language server protocol",
    ),
    "completion": ("npuninja.commands.completion", "completion of this command for bash, zsh or fish"),
    "lower": ("npuninja.commands.lower", "lower a design: addresses, routing, instructions, linker scripts"),
    "python": ("npuninja.commands.python", "run a design written in Python and print its MLIR"),
    "cdo": ("npuninja.commands.cdo", "write the configuration of a routed design and its core programs"),
    "pdi": ("npuninja.commands.pdi", "pack configuration files into a device image"),
    "xclbin": ("npuninja.commands.xclbin", "pack a device image into an XCLBIN"),
    "inspect": (
        "npuninja.commands.inspect",
        "say what a CDO, PDI, XCLBIN, instruction stream or core program holds",
    ),
    "disasm": ("npuninja.commands.disasm", "list the machine code in an ELF, an object, an XCLBIN or a PDI"),
    "core": ("npuninja.commands.core", "run the machine code of one core alone"),
    "profile": (
        "npuninja.commands.profile",
        "where cores of machine code spend their cycles, by function and loop",
    ),
    "as": ("npuninja.commands.assemble", "assemble AIE2 machine code, in the text that disasm prints"),
    "ld": ("npuninja.commands.assemble:link_main", "link AIE2 objects into the program of one core"),
    "size": ("npuninja.commands.size", "the memory of every tile of a built design"),
    "mel": (
        "examples/mel/whisper_mel.command",
        "compute Whisper's log-mel spectrogram of a WAV file with a built design",
    ),
    "run": (
        "npuninja.commands.run",
        "run a design, by its name or manifest, on an NPU or on the emulated array",
    ),
    "emu": ("npuninja.commands.emu", "run a program that uses XRT on the emulated NPU"),
    "import": ("npuninja.commands.import_folder", "make a project of a folder that has a Makefile"),
    "trace": (
        "npuninja.commands.trace",
        "where the time of the last build went: a trace for Perfetto, and in words",
    ),
    "graph": ("npuninja.commands.graph", "the stages of a build as a picture for Graphviz"),
    "model": ("npuninja.commands.model", "say how long a built design would take on an NPU: modelled"),
    "verify-package": (
        "npuninja.commands.verify_package",
        "check an archive or a wheel that `ninja package` made",
    ),
    "sign-package": ("npuninja.commands.sign_package", "sign a package, or make a key for that"),
    "doctor": ("npuninja.commands.doctor", "look at this machine, rung by rung"),
    "explain": ("npuninja.commands.explain", "say what the errors in a log mean"),
    "farm": ("tools/farm.command", "run a server and workers for builds on other machines, here"),
    "settings": ("npuninja.commands.settings", "check a toolchain.toml, or say what can be in one"),
    "tools": ("npuninja.commands.tools", "fetch real tools into a folder of their own"),
    "conformance": (
        "tools/conformance.command",
        "compare the lowering with the reference tools' results",
    ),
}

EXIT_CODES = """\
Exit codes: 0 good; 1 the result is wrong; 2 the input is wrong; 3 a tool failed or is missing; 4 the device
failed; 77 no device of the required kind; 70 a bug of npuninja."""


def usage() -> str:
    """What `npuninja --help` prints."""
    verbs = "\n".join(f"  {verb:15} {what}" for verb, (_, what) in VERBS.items())
    return (
        "usage: npuninja [-v|-q] [-B FOLDER] VERB …\n\n"
        f"{verbs}\n\n"
        "`npuninja VERB --help` says more. -B: the build folder, when it is not the project's own (or the "
        "variable NPUNINJA_BUILD).\n"
        f"{EXIT_CODES}\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs one verb; prints the error if there is one, and returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    return guarded(lambda: _run_verb(words))


def _run_verb(words: list[str]) -> int:
    if not words:
        raise UserError("no verb given", hint="npuninja --help lists the verbs")
    words = _with_verbosity(_with_build_folder(words))
    if not words:
        raise UserError("no verb given", hint="npuninja --help lists the verbs")
    verb, rest = words[0], words[1:]
    if verb in ("-h", "--help", "help"):
        sys.stdout.write(usage())
        return 0
    if verb == "--version":
        from npuninja import __version__

        print(f"npuninja {__version__}")
        return 0
    if verb not in VERBS:
        raise UserError(f"there is no verb {verb!r}", hint=_meant(verb))
    name, _, function = VERBS[verb][0].partition(":")
    if "/" in name:
        name = _beside_the_package(verb, name)
    module = __import__(name, fromlist=["main"])
    code = int(getattr(module, function or "main")(rest))
    if not sys.stdout.closed:  # the language server closes its streams when the editor ends it
        sys.stdout.flush()
    return code


#: What an installed package has of the programs in the source tree.
_ELSEWHERE = {
    "mel": "; its designs alone come with `npuninja init NAME --template mel`",
    "farm": "; a build on other machines needs their address only: `configure.py --remote ADDRESS`",
    "conformance": "; `npuninja lower FILE` and `npuninja inspect FILE` show what one design becomes",
}


def _beside_the_package(verb: str, name: str) -> str:
    """The module of a program in the source tree, which can be imported now.

    The tree is the one that this package lies in; for an installed package, the one in the working folder.

    Raises:
        UserError: there is no source tree.
    """
    folder, module = _found_beside(name)
    if folder:
        return module
    raise UserError(
        f"npuninja {verb} is in npuninja's source tree ({name.rpartition('/')[0]}/), "
        "which an installed package does not have",
        hint="clone npuninja, and run it in the clone's folder" + _ELSEWHERE.get(verb, ""),
    )


def programs_beside_the_package() -> Iterator[tuple[str, str]]:
    """The programs of the source tree, where there is one: folder and package, which can be imported now."""
    for name, _ in VERBS.values():
        if "/" in name:
            folder, module = _found_beside(name)
            if folder:
                yield folder, module.partition(".")[0]


def _found_beside(name: str) -> tuple[str, str]:
    """The folder of a program `FOLDER/MODULE`, on Python's path now, and its module; "" for no folder."""
    folder, _, module = name.rpartition("/")
    package = os.path.dirname(os.path.abspath(__file__))
    for root in (os.path.dirname(package), os.getcwd()):
        path = os.path.join(root, *folder.split("/"))
        if os.path.isdir(os.path.join(path, module.partition(".")[0])) and os.path.isfile(
            os.path.join(root, "npuninja", "cli.py")
        ):
            if path not in sys.path:
                sys.path.insert(1, path)
            return path, module
    return "", module


def guarded(action: Callable[[], int]) -> int:
    """Does something; what it raises is said as people can use it, and is an exit code."""
    try:
        return action()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Error as error:
        return report(error)
    except BrokenPipeError:
        # The reader of our output has gone (`npuninja inspect … | head`): no more to say; nothing is wrong.
        sys.stderr.close()
        return 0
    except Exception as error:
        from npuninja.files import foreign_error

        meant = foreign_error(error)
        return report(meant) if meant is not None else report_bug()


def _with_build_folder(words: list[str]) -> list[str]:
    """The words without `-B FOLDER` in front of the verb, which is kept for `configure.built`."""
    for at, word in enumerate(words[:4]):
        if not word.startswith("-"):
            break
        if word.startswith("-B"):
            folder, rest = (
                (word[2:], words[at + 1 :]) if word[2:] else (words[at + 1 : at + 2], words[at + 2 :])
            )
            if not folder:
                raise UserError("-B: expected a folder", hint="npuninja -B FOLDER VERB")
            from npuninja.build_places import BUILD_VARIABLE

            os.environ[BUILD_VARIABLE] = os.path.abspath(folder if isinstance(folder, str) else folder[0])
            return [*words[:at], *rest]
    return words


def _with_verbosity(words: list[str]) -> list[str]:
    """The words without `-v` and `-q` in front of the verb, which go to the verbs that build."""
    flags = [word for word in words[:2] if word in ("-v", "-q") and words.index(word) < 2]
    rest = words[len(flags) :] if words[: len(flags)] == flags else words
    if not flags or not rest:
        return words
    if rest[0] in ("build", "test"):
        return [rest[0], *flags, *rest[1:]]
    if "-q" in flags:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (to the end of the process)
    return rest


def _meant(verb: str) -> str:
    return did_you_mean(verb, VERBS, "verbs: " + ", ".join(VERBS)) or ""
