"""What kernel objects are made of: what toolchain.toml says, else a source of that name.

`X.o` is made of the one `X.c`, `X.cc`, `X.cpp` or `X.cxx` below the kernels folder.
"""

from __future__ import annotations

import os
import posixpath
import re

from npuninja.errors import UserError
from npuninja.file_kinds import C_SUFFIXES
from npuninja.plan.design import LinkedObject
from npuninja.plan.kernel_settings import KernelSettings, settings_of
from npuninja.records import field, record
from npuninja.suggestions import near

ASSEMBLY = (".s", ".S")
# What is not compiled: objects and archives made elsewhere.
BINARIES = (".o", ".a")
# As a name to link with (`ExternalFunction(inline=True)`): LLVM's text or bitcode, which the reference merges
# into the core's module. Here the source makes an object of that name; its function is called, not inlined.
_MERGED = (".ll", ".bc")
_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]{0,126}", re.ASCII)
# Objects are listed in a hint up to this many.
SHOWN = 8


@record(frozen=True)
class KernelObject:
    """One object of the build.

    Attributes:
        name: its path below the folder of all kernel objects.
        sources: what it is made of, as the user names the files.
        settings: how they are compiled.
    """

    name: str
    sources: tuple[str, ...]
    settings: KernelSettings


@record(frozen=True)
class KernelFolder:
    """What lies below the kernels folder, and what is said about objects.

    Attributes:
        path: the folder as it is to be shown.
        folders: it and every folder below it, sorted; a new file in one of them changes the plan.
        sources: kernel name -> its sources, as a rule one.
        binaries: objects and archives that lie there, by file name.
        settings: of toolchain.toml and the command line.
        absent: those of their sources that are no files.
    """

    path: str
    folders: tuple[str, ...]
    sources: dict[str, tuple[str, ...]]
    binaries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    settings: tuple[KernelSettings, ...] = ()
    absent: tuple[str, ...] = ()

    def object_of(self, linked: LinkedObject, design: str) -> KernelObject:
        """The object that a design names.

        Raises:
            UserError: the name cannot be an object's, nothing makes it, or several sources would; located in
                the design, or in toolchain.toml.
        """
        name = _plain_path(linked)
        settings = settings_of(self.settings, name, design)
        if settings.sources is not None:
            self._check_sources(settings)
            # The same object may be another one for another design.
            others = any(s.designs and s.fits(name, d) for s in self.settings for d in s.designs)
            return KernelObject(f"{design}/{name}" if others else name, settings.sources, settings)
        sources, own = self._sources(name, design)
        if not sources:
            raise UserError(f"nothing makes {name!r}", linked.location, hint=self._what_there_is(name))
        if len(sources) > 1:
            raise UserError(
                f"{name!r} could be made from {' or '.join(sources)}",
                linked.location,
                hint=f"put the design's own into {self.path}/{design}/, or say in toolchain.toml which: "
                f'[kernel."{name}"] sources = ["{sources[0]}"]',
            )
        private = own or any(s.designs and s.fits(name, design) for s in self.settings)
        return KernelObject(f"{design}/{name}" if private else name, sources, settings)

    def _sources(self, name: str, design: str) -> tuple[tuple[str, ...], bool]:
        """The files that may be meant, and whether they are the design's own among others."""
        folder, stem = posixpath.split(name.rpartition(".")[0])
        found = self.sources.get(stem, ())
        if folder:
            near_it = tuple(p for p in found if os.path.dirname(p).replace(os.sep, "/").endswith(folder))
            return near_it or found, False
        if len(found) > 1:
            mine = os.path.join(self.path, design, "")
            below = tuple(path for path in found if path.startswith(mine))
            if below:
                return below, True
        return found, False

    def _check_sources(self, settings: KernelSettings) -> None:
        where = settings.place("sources")
        if not settings.sources:
            raise UserError(f"{settings.name!r} is made of nothing", where, hint="name a source")
        for path in settings.sources:
            suffix = os.path.splitext(path)[1]
            if suffix not in (*C_SUFFIXES, *ASSEMBLY, *BINARIES):
                known = ", ".join((*C_SUFFIXES, *ASSEMBLY, *BINARIES))
                raise UserError(f"{path!r} is no source of a kernel", where, hint=f"sources end in {known}")
            if path in self.absent and not self.is_kernel(path, settings):
                raise UserError(f"there is no file {path!r}", where, hint="paths count from toolchain.toml")

    def is_kernel(self, source: str, of: KernelSettings) -> bool:
        """Whether a source of an object is another one, by the name that toolchain.toml gives it."""
        return source.endswith(BINARIES) and any(
            s.name == source and s.sources and s.name != of.name for s in self.settings
        )

    def _what_there_is(self, name: str) -> str:
        stem = posixpath.basename(name).rpartition(".")[0]
        lying = self.binaries.get(posixpath.basename(name), ())
        if lying:
            return (
                f"{lying[0]} lies there; what was made elsewhere is taken when toolchain.toml says so: "
                f'[kernel."{name}"] sources = ["{lying[0]}"]'
            )
        known = sorted(self.sources)
        if not known:
            return f"there is no kernel at all: put {stem}.c, {stem}.cc or {stem}.cpp below {self.path}/"
        close = near(stem, known, most=3)
        meant = f"did you mean {' or '.join(n + '.o' for n in close)}? " if close else ""
        ordered = [*close, *(n for n in known if n not in close)]
        shown = ", ".join(n + ".o" for n in ordered[:SHOWN])
        more = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
        return (
            f"{meant}the sources below {self.path}/ make {shown}{more}. An object of several sources is "
            f'[kernel."{name}"] sources = [...] in toolchain.toml, or link_files = ["one.o", '
            '"two.o"] on the core'
        )


def _plain_path(linked: LinkedObject) -> str:
    """The name as a path below the folder of all objects: without what leads out of it.

    Raises:
        UserError: it is the name of no object.
    """
    parts = [p for p in linked.name.replace("\\", "/").split("/") if p not in ("", ".", "..")]
    if not parts or not parts[-1].endswith((*BINARIES, *_MERGED)):
        raise UserError(
            f"link_with names {linked.name!r}, which is no object file (X.o)",
            linked.location,
            hint="X.o is made from X.c, X.cc or X.cpp below kernels/; X.a too, "
            "or is an archive made elsewhere",
        )
    for part in parts:
        if not _NAME.fullmatch(part) or part.startswith("-"):
            raise UserError(
                f"kernel object name {part!r} is not made of letters, digits, `_`, `.`, `+` and `-`",
                linked.location,
                hint="rename it",
            )
    return "/".join(parts)
