"""The command line of configure.py."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from npuninja.argument_parser import VerbParser
from npuninja.errors import UserError
from npuninja.records import record, replace
from npuninja.settings.table import CHECKS

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


def parse_options(arguments: Sequence[str], program: str = "configure.py") -> Options:
    """Takes the command line apart; UserError for what is not understood. `--help` prints and leaves with
    SystemExit(0).
    """
    parser = VerbParser(
        prog=program,
        description="Looks for tools, reads the designs in mlir/ and writes build.ninja. Then run `ninja`.",
        epilog="Exit codes: 0 done, 2 the input is wrong, 3 a tool is missing or failed, 70 a bug of npuninja.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "-B",
        dest="build_folder",
        metavar="FOLDER",
        help="build in FOLDER (default: build.ninja here, files in build/)",
    )
    add(
        "-S",
        dest="source_root",
        metavar="FOLDER",
        help="the project with mlir/, kernels/ and host/ (default: this one)",
    )
    add(
        "--generator",
        metavar="G",
        default="ninja",
        choices=GENERATORS,
        help="ninja (default), or make: write a Makefile",
    )
    add("--device", metavar="D", help="only designs that fit device D")
    add("--retarget", metavar="D", help="build designs for device D, whatever device they were written for")
    add("--checks", metavar="NAME[,NAME]", help="what tests look for: races, memory, none (default: both)")
    add(
        "--schedules",
        type=int,
        default=0,
        metavar="N",
        help="tests run each design in N more orders of turns",
    )
    add("--seeds", type=int, default=1, metavar="N", help="tests make inputs of N seeds")
    add(
        "--provider",
        dest="providers",
        metavar="STAGE=P",
        action="append",
        default=[],
        help="P: real, embedded, auto, or a name as docs/providers.md lists them",
    )
    add("--toolchain", metavar="FILE", help="read FILE instead of toolchain.toml")
    add("--preset", metavar="NAME", help="the options of [preset.NAME] in toolchain.toml")
    add(
        "--define",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="a macro of every kernel; repeat",
    )
    add(
        "--include",
        action="append",
        default=[],
        metavar="FOLDER",
        help="a folder for #include of every kernel; repeat",
    )
    add("--prefix", metavar="FOLDER", help=f"install below FOLDER (default: {PREFIX})")
    add("--launcher", metavar="PROGRAM", help="start compilers through PROGRAM (ccache, sccache)")
    add(
        "--remote",
        metavar="ADDRESS",
        help="run stages on other machines, by the service at ADDRESS (unix:/PATH or http://HOST:PORT)",
    )
    add(
        "--check",
        action="store_true",
        help="also run each design on the emulated array, while the build goes on",
    )
    add("--werror", action="store_true", help="warnings about designs and kernels are errors")
    add(
        "--separate-stages",
        action="store_true",
        help="a process for each stage; short stages share one otherwise",
    )
    add("--fresh", action="store_true", help="forget what was found and recorded before")
    add("--why", metavar="TARGET", help="say why TARGET would be built now (a file, a design, run-NAME)")
    add("--regenerate", metavar="FILE", help=argparse.SUPPRESS)
    add("designs", metavar="DESIGN", nargs="*", help="build these only (default: all in mlir/)")
    # Designs may stand between options; argparse alone takes one group of them.
    known = parser.parse_intermixed_args(list(arguments))
    return Options(
        build_folder=known.build_folder,
        source_root=known.source_root,
        generator=known.generator,
        device=known.device,
        retarget=known.retarget,
        checks=_checks(known.checks),
        schedules=known.schedules,
        seeds=known.seeds,
        providers=tuple(known.providers),
        toolchain=known.toolchain,
        preset=known.preset,
        prefix=known.prefix,
        launcher=known.launcher,
        remote=known.remote,
        werror=known.werror,
        check=known.check,
        separate=known.separate_stages,
        fresh=known.fresh,
        why=known.why,
        regenerate=known.regenerate,
        designs=tuple(known.designs),
        defines=tuple(known.define),
        includes=tuple(known.include),
    )


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
    """The command line that asks for the same again; without `--fresh`, which is for one time only."""
    words: list[str] = []
    for option, value in (
        ("-B", options.build_folder),
        ("-S", options.source_root),
        ("--generator", options.generator if options.generator != "ninja" else None),
        ("--device", options.device),
        ("--retarget", options.retarget),
        ("--checks", None if options.checks is None else ",".join(options.checks) or "none"),
        ("--schedules", str(options.schedules) if options.schedules else None),
        ("--seeds", str(options.seeds) if options.seeds > 1 else None),
        ("--toolchain", options.toolchain),
        ("--preset", options.preset),
        ("--prefix", options.prefix),
        ("--launcher", options.launcher),
        ("--remote", options.remote),
    ):
        words += [option, value] if value else []
    for option, values in (
        ("--provider", options.providers),
        ("--define", options.defines),
        ("--include", options.includes),
    ):
        for value in values:
            words += [option, value]
    flags = (
        ("--werror", options.werror),
        ("--check", options.check),
        ("--separate-stages", options.separate),
    )
    words += [word for word, wanted in flags if wanted]
    return [*words, *options.designs]


def makefile_name(build_folder: str | None) -> str:
    """What a generated Makefile is called.

    At the top of a project another name, because one of its own may be there.
    """
    return "build.mk" if build_folder is None else "Makefile"
