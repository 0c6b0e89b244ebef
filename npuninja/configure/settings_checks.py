"""What toolchain.toml says against what there is: pinned tools, providers, variables of the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from npuninja.configure.options import Options
from npuninja.configure.settings import FOUND_VARIABLES, Settings, variables_in
from npuninja.detect.machine import Toolchain
from npuninja.detect.mlir_aie import root_of
from npuninja.errors import Error, ToolError, UserError
from npuninja.plan.layout import Layout

# Variables that Makefiles read and this build does not.
NOT_READ = ("CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS")


def check_pins(settings: Settings, toolchain: Toolchain) -> None:
    """A tool that the file names must be there, and be one.

    Raises:
        UserError: nothing is at the path; located.
        ToolError: it is there and does not prove itself; located.
    """
    for name, path in settings.pins.items():
        absent = toolchain.absent(name)
        if absent is None:
            continue
        where = settings.pin_places.get(name)
        hint = f"name the right path, or write {name} = false when it is not to be used"
        if not os.path.exists(path):
            raise UserError(f"there is no {name} at {path}", where, hint=hint)
        raise ToolError(f"{name} is not usable: {absent.explain()}", where, hint=hint)


@contextmanager
def placed(settings: Settings, on_command_line: Mapping[str, str]) -> Iterator[None]:
    """An error about `--provider STAGE=…` that the file asked for gets the file's place and words."""
    try:
        yield
    except Error as error:
        match = re.match(r"--provider (\w+)=(\S+?)(:?) (.*)", error.message, re.DOTALL)
        if not match or match[1] in on_command_line or match[1] not in settings.providers:
            raise
        stage, choice, colon, rest = match.groups()
        message = f'[providers] {stage} = "{choice}"{colon} {rest}'
        where = settings.provider_places.get(stage)
        raise type(error)(message, where, hint=error.hint, notes=error.notes) from error


def variables_for(
    settings: Settings, options: Options, environment: Mapping[str, str], toolchain: Toolchain
) -> dict[str, str]:
    """The variables that the file's paths may name, with values: environment or installations found."""
    found: dict[str, str] = {}
    for name in variables_in(settings, options):
        tool = toolchain.found(FOUND_VARIABLES.get(name, "")) if name in FOUND_VARIABLES else None
        if environment.get(name):
            found[name] = environment[name]
        elif tool:
            found[name] = root_of(tool.path)
    return found


def remarks(environment: Mapping[str, str]) -> list[str]:
    """What in the environment has no effect although one may think so."""
    names = [name for name in NOT_READ if environment.get(name)]
    if not names:
        return []
    be = "is" if len(names) == 1 else "are"
    return [
        f"{' and '.join(names)} {be} set, and not read: flags of kernels are in toolchain.toml "
        '([kernel."OBJECT.o"] flags), or are given with --define and --include'
    ]


# What Ninja's reader of depfiles takes for the end of a name.
_NOT_IN_DEPFILES = re.compile(r"[|*^;<>`]")


def unrecordable(package: str, layout: Layout) -> list[str]:
    """What is built again each time, as Ninja's depfiles cannot have the names of the files it depends on."""
    folders = [package]
    if os.path.isabs(layout.source(".")):
        folders.append(layout.source_root)
    return [
        f"{folder} has a character in its name that Ninja's depfiles cannot carry (| * ^ ; < > `): what "
        "depends on files there is built again each time"
        for folder in folders
        if _NOT_IN_DEPFILES.search(folder)
    ]
