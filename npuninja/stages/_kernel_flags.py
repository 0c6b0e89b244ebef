"""What a project says about the compilation of a kernel, as options of the stage and as flags of a compiler.

The graph (for compile_commands.json) and the stage take both from here.
"""

from __future__ import annotations

from npuninja.records import NamedTuple
from npuninja.stages._run import Arguments

OPTIONS = ("--language", "--float", "--define", "--kernel-include", "--flag")


class KernelFlags(NamedTuple):
    """The settings of one kernel; "" and () say nothing."""

    language: str = ""
    float: str = ""
    defines: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def from_options(options: Arguments) -> KernelFlags:
    """What a stage was given."""
    return KernelFlags(
        options.optional("--language") or "",
        options.optional("--float") or "",
        tuple(options.all("--define")),
        tuple(options.all("--kernel-include")),
        tuple(options.all("--flag")),
    )


def words(asked: KernelFlags) -> list[str]:
    """The compiler's flags, which come after the build's own and in front of the source.

    `float` is among the build's own: the headers know what it means.
    """
    language = asked.language
    found: list[str] = []
    if language:
        found += ["-x", "c++" if "++" in language else "c"]
        found += [f"-std={language}"] if any(c.isdigit() for c in language) else []
    found += [f"-D{define}" for define in asked.defines]
    for folder in asked.include:
        found += ["-I", folder]
    return [*found, *asked.flags]
