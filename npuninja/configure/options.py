"""The command line of configure.py."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from npuninja import TYPE_CHECKING
from npuninja.argument_parser import VerbParser
from npuninja.build_places import MAKEFILE
from npuninja.errors import UserError
from npuninja.records import NamedTuple, record, replace
from npuninja.settings.table import CHECKS

if TYPE_CHECKING:
    from typing import Any

GENERATORS = ("ninja", "make")
PREFIX = "/usr/local"


@record(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        build_folder: `-B`, as given; None: build.ninja at the top of the sources, outputs in `build/`.
        source_root: `-S`, as given; None: the folder of configure.py.
        generator: what runs the build, one of `GENERATORS`.
        device: the device that every design must be for; None: each design says its own.
        retarget: the device that designs are built for in place of their own; None: their own.
        checks: what tests look for; None: all there is.
        schedules: how many more orders of turns tests run designs in.
        seeds: how many seeds tests make inputs of.
        providers: `STAGE=real|embedded|auto|NAME` words.
        toolchain: another toolchain.toml.
        preset: the name of a preset in it.
        prefix: where `install` puts the designs.
        launcher: a program that is put in front of compilers (ccache, sccache), as given.
        remote: the address of a service that runs stages on other machines; None: all run here.
        werror: whether warnings of the stages are errors.
        check: whether each design is also run on the emulated array while it is built.
        separate: whether each stage is a command of its own, however short it is.
        fresh: whether everything remembered is to be forgotten first.
        why: a target; nothing is configured, but why it would be built now is said.
        regenerate: a recorded configuration to repeat (from Ninja only).
        designs: names of designs; () means all.
        defines: macros of every kernel.
        includes: folders for `#include` of every kernel.
    """

    build_folder: str | None = None
    source_root: str | None = None
    generator: str = "ninja"
    device: str | None = None
    retarget: str | None = None
    checks: tuple[str, ...] | None = None
    schedules: int = 0
    seeds: int = 1
    providers: tuple[str, ...] = ()
    toolchain: str | None = None
    preset: str | None = None
    prefix: str | None = None
    launcher: str | None = None
    remote: str | None = None
    werror: bool = False
    check: bool = False
    separate: bool = False
    fresh: bool = False
    why: str | None = None
    regenerate: str | None = None
    designs: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()


class _Word(NamedTuple):
    """One option: its word, the field that it sets, what comes after it ("" for a flag), its help, whether
    it may be given several times. `lasting`: it is asked for again when Ninja configures again.
    """

    word: str
    field: str
    value: str
    help: str
    many: bool = False
    lasting: bool = True


# In the order of the help.
_WORDS = (
    _Word("-B", "build_folder", "FOLDER", "build in FOLDER (default: build.ninja here, files in build/)"),
    _Word("-S", "source_root", "FOLDER", "the project with mlir/, kernels/ and host/ (default: this one)"),
    _Word("--generator", "generator", "G", "ninja (default), or make: write a Makefile"),
    _Word("--device", "device", "D", "only designs that fit device D"),
    _Word("--retarget", "retarget", "D", "build designs for device D, whatever device they were written for"),
    _Word("--checks", "checks", "NAME[,NAME]", "what tests look for: races, memory, none (default: both)"),
    _Word("--schedules", "schedules", "N", "tests run each design in N more orders of turns"),
    _Word("--seeds", "seeds", "N", "tests make inputs of N seeds"),
    _Word("--toolchain", "toolchain", "FILE", "read FILE instead of toolchain.toml"),
    _Word("--preset", "preset", "NAME", "the options of [preset.NAME] in toolchain.toml"),
    _Word("--prefix", "prefix", "FOLDER", f"install below FOLDER (default: {PREFIX})"),
    _Word("--launcher", "launcher", "PROGRAM", "start compilers through PROGRAM (ccache, sccache)"),
    _Word(
        "--remote", "remote", "ADDRESS",
        "run stages on other machines, by the service at ADDRESS (unix:/PATH or http://HOST:PORT)",
    ),
    _Word(
        "--provider", "providers", "STAGE=P", "P: real, embedded, auto, or a name as docs/providers.md "
                                              "lists them",
        many=True,
    ),
    _Word("--define", "defines", "NAME[=VALUE]", "a macro of every kernel; repeat", many=True),
    _Word("--include", "includes", "FOLDER", "a folder for #include of every kernel; repeat", many=True),
    _Word("--werror", "werror", "", "warnings about designs and kernels are errors"),
    _Word("--check", "check", "", "also run each design on the emulated array, while the build goes on"),
    _Word("--separate-stages", "separate", "", "a process for each stage; short stages share one otherwise"),
    _Word("--fresh", "fresh", "", "forget what was found and recorded before", lasting=False),
    _Word(
        "--why", "why", "TARGET", "say why TARGET would be built now (a file, a design, run-NAME)",
        lasting=False
    ),
    _Word("--regenerate", "regenerate", "FILE", argparse.SUPPRESS, lasting=False),
)  # fmt: skip


def parse_options(arguments: Sequence[str], program: str = "configure.py") -> Options:
    """Takes the command line apart. `--help` prints and raises SystemExit(0).

    Raises UserError for what is not understood.
    """
    parser = VerbParser(
        prog=program,
        description="Looks for tools, reads the designs in mlir/ and writes build.ninja. Then run `ninja`.",
        epilog="Exit codes: 0 done, 2 the input is wrong, 3 a tool is missing or failed, "
        "70 a bug of npuninja.",
        allow_abbrev=False,
    )
    otherwise = vars(Options())
    for word, field, value, text, many, _ in _WORDS:
        if not value:
            parser.add_argument(word, dest=field, action="store_true", help=text)
            continue
        parser.add_argument(
            word, dest=field, metavar=value, help=text,
            action="append" if many else "store",
            default=[] if many else otherwise[field],
            type=int if isinstance(otherwise[field], int) else str,
            choices=GENERATORS if field == "generator" else None,
        )  # fmt: skip
    parser.add_argument(
        "designs", metavar="DESIGN", nargs="*", help="build these only (default: all in mlir/)"
    )
    # Designs may be between options; argparse alone takes one group of them.
    known = vars(parser.parse_intermixed_args(list(arguments)))
    known["checks"] = _checks(known["checks"])
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in known.items()}
    return Options(**values)


def _checks(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(word for word in text.split(",") if word and word != "none")
    for name in names:
        if name not in CHECKS:
            raise UserError(
                f"--checks: there is no check {name!r}", hint=f"checks: {', '.join(CHECKS)}, none"
            )
    return names


def with_absolute_paths(options: Options) -> Options:
    """The same options, with paths that hold in every working folder."""
    return replace(
        options,
        build_folder=os.path.abspath(options.build_folder) if options.build_folder else None,
        source_root=os.path.abspath(options.source_root) if options.source_root else None,
        toolchain=os.path.abspath(options.toolchain) if options.toolchain else None,
        prefix=os.path.abspath(options.prefix) if options.prefix else None,
        includes=tuple(f if "$" in f else os.path.abspath(f) for f in options.includes),
    )


def to_arguments(options: Options) -> list[str]:
    """The command line for the same again, without empty values and `--fresh`, which is for one time only."""
    words: list[str] = []
    otherwise = vars(Options())
    for word, field, behind, _, many, lasting in _WORDS:
        value = getattr(options, field)
        if not lasting or value in ("", otherwise[field]):
            continue
        if field == "checks":
            value = ",".join(value) or "none"
        for one in value if many else (value,):
            words += [word, str(one)] if behind else [word]
    return [*words, *options.designs]


def makefile_name(build_folder: str | None) -> str:
    """What a generated Makefile is called; at the top of a project another name, as its own may be there."""
    return MAKEFILE if build_folder is None else "Makefile"
