"""What toolchain.toml and the command line say about kernel objects, and what of it holds for one of them."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterable, Sequence

from npuninja.errors import Location, UserError
from npuninja.plan.design import Design
from npuninja.records import record, replace

# Words of a compiler's command line that are the build's own, by how they begin, and what says the same.
REFUSED_FLAGS = (
    ("-o", "the build names outputs"),
    ("-c", "the build compiles to objects"),
    ("-S", "the build compiles to objects"),
    ("-E", "the build compiles to objects"),
    ("--target", "the device and the core kind decide it"),
    ("-target", "the device and the core kind decide it"),
    ("-M", "the build writes the depfiles"),
    ("-x", "write it as `language`"),
)


@record(frozen=True)
class KernelSettings:
    """One `[kernel."OBJECT.o"]`, or several that hold for one object together.

    Attributes:
        name: of the object; `*` and `?` stand for other characters.
        location: where that is; None for the command line.
        sources: what it is made of; None: the file of its name below kernels/.
        defines: `NAME` or `NAME=VALUE`.
        include: folders, relative to the project or absolute.
        flags: further words for the compiler.
        language: "" for what the suffix says.
        float: `exact`, `fast` or "".
        designs: only for these; () for all.
        locations: key -> where it is.
    """

    name: str
    location: Location | None = None
    sources: tuple[str, ...] | None = None
    defines: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    language: str = ""
    float: str = ""
    designs: tuple[str, ...] = ()
    locations: tuple[tuple[str, Location], ...] = ()

    def place(self, key: str) -> Location | None:
        """Where a key is."""
        return dict(self.locations).get(key, self.location)

    def fits(self, name: str, design: str) -> bool:
        """Whether it is about an object of a design."""
        if self.designs and design not in self.designs:
            return False
        return any(fnmatch.fnmatchcase(n, self.name) for n in (name, posixpath.basename(name)))

    @property
    def is_pattern(self) -> bool:
        """Whether it is about every object of a kind."""
        return any(c in self.name for c in "*?[")


def joined(name: str, *, defines: Sequence[str] = (), include: Sequence[str] = ()) -> KernelSettings:
    """What the command line says for all kernels."""
    return KernelSettings(name, defines=tuple(defines), include=tuple(include))


def own_kernels(designs: Iterable[Design]) -> tuple[KernelSettings, ...]:
    """The kernels that designs in Python bring themselves, each for its own design."""
    return tuple(
        KernelSettings(
            kernel.name, Location(design.source), sources=(kernel.source,), include=kernel.include,
            flags=kernel.flags, designs=(design.name,),
        )
        for design in designs
        for kernel in design.kernels
    )  # fmt: skip


def check_flags(settings: KernelSettings) -> None:
    """UserError for flags that are the build's own; located."""
    for flag in settings.flags:
        for start, instead in REFUSED_FLAGS:
            # -c, -S, -E and -o count as whole words only: other flags begin like them (-cl-std).
            if flag == start or (flag.startswith(start) and start not in ("-o", "-c", "-S", "-E")):
                raise UserError(f"flag {flag!r} is not yours to give", settings.place("flags"), hint=instead)
    for define in settings.defines:
        if define.startswith("-D") or not define.split("=")[0].split("(")[0].isidentifier():
            hint = f"write {define[2:]!r}" if define.startswith("-D") else "write NAME or NAME=VALUE"
            raise UserError(f"{define!r} is no macro", settings.place("defines"), hint=hint)


def settings_of(all_settings: Sequence[KernelSettings], name: str, design: str) -> KernelSettings:
    """Everything that holds for an object of a design, put together.

    The most general comes first; lists follow each other, the rest is replaced.

    Raises:
        UserError: two sections of the same name both hold for the design.
    """
    fitting = [s for s in all_settings if s.fits(name, design)]
    # A name with more characters of its own is more special; one for some designs only is so, too.
    fitting.sort(
        key=lambda s: (
            not s.is_pattern,
            len(s.name.translate({ord(c): None for c in "*?[]"})),
            bool(s.designs),
        )
    )
    merged, before = KernelSettings(name), None
    for one in fitting:
        if not one.is_pattern and one.sources is not None:
            if before is not None and bool(before.designs) == bool(one.designs):
                raise UserError(
                    f"{name!r} of design {design} is described twice",
                    one.location,
                    notes=(("the first time is here", before.location),),
                    hint="say with `designs` for which designs each of them is",
                )
            before = one
        check_flags(one)
        merged = replace(
            merged,
            location=one.location or merged.location,
            sources=one.sources if one.sources is not None else merged.sources,
            defines=(*merged.defines, *one.defines),
            include=(*merged.include, *one.include),
            flags=(*merged.flags, *one.flags),
            language=one.language or merged.language,
            float=one.float or merged.float,
            designs=one.designs or merged.designs,
            locations=(*merged.locations, *one.locations),
        )
    return merged
