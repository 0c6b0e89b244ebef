"""What configure.py says at its end: the provider of each stage, and why, and what was looked for in vain."""

from __future__ import annotations

import os
from collections.abc import Sequence

from npuninja.build_places import BUILD_FILE
from npuninja.configure.designs import DesignSet
from npuninja.configure.options import Options, makefile_name
from npuninja.detect.machine import Toolchain
from npuninja.emit.escape import quote_word
from npuninja.plan.design import Design
from npuninja.plan.dialect import dialect_of
from npuninja.plan.providers import STAGES, Providers


def summary(
    providers: Providers,
    toolchain: Toolchain,
    found: DesignSet,
    changed: bool,
    colour: bool,
    options: Options,
    notes: Sequence[str] = (),
    width: int = 0,
) -> str:
    """The text: a table of the stages, the real tools that are not used, the designs, and what to do next."""
    designs = [design for design in found.designs if design.name in found.wanted]
    unused = _unused(providers, toolchain)
    lines = [
        *(["", *unused] if unused else []),
        "",
        f"project: {os.getcwd()}",
        *_of_designs(designs, providers),
        *(
            [f"retargeted to {options.retarget}, whatever the designs say (--retarget)"]
            if options.retarget
            else []
        ),
        *_others(found),
        *(f"note: {note}" for note in notes),
        *([f"what takes time is run by the service at {options.remote}"] if options.remote else []),
        _next(options, found, changed),
    ]
    table = _table(_rows(providers, toolchain, found), colour, width)
    return "\n".join([*table, *(part for line in lines for part in _fitted(line, width))]) + "\n"


def _rows(providers: Providers, toolchain: Toolchain, found: DesignSet) -> list[tuple[str, ...]]:
    """A row for each stage, and for what runs stages and build."""
    in_python = any(design.source.endswith(".py") for design in found.designs)
    rows: list[tuple[str, ...]] = [("stage", "provider", "version", "path", "why")]
    rows += [
        (p.stage, p.name, p.version, p.path or "-", p.reason)
        for p in providers.chosen
        if p.stage != "python" or in_python
    ]
    for purpose, tool in (("stages", toolchain.python), ("build", toolchain.found("ninja"))):
        rows += [(purpose, tool.tool, tool.version, tool.path, tool.origin)] if tool else []
    return rows


def _of_designs(designs: Sequence[Design], providers: Providers) -> list[str]:
    if not designs:
        return []
    devices = ", ".join(sorted({design.device for design in designs}))
    count = f"{len(designs)} design{'s' if len(designs) != 1 else ''}"
    names = ", ".join(design.name for design in designs)
    return [
        f"{count} for {devices}: {names}",
        *dialects(designs, providers),
        *_not_by_bindings(designs, providers),
    ]


def _others(found: DesignSet) -> list[str]:
    """Designs that are not built when none is named."""
    lines = []
    if found.left_out:
        lines.append(f"not asked for: {found.left_out} more; each is built by its name all the same")
    if found.faulty:
        names = ", ".join(fault.name for fault in found.faulty)
        lines.append(f"cannot be built: {names}; why is said at the end")
    return lines


def _next(options: Options, found: DesignSet, changed: bool) -> str:
    """What was written, and the command that builds by it."""
    folder, by_make = options.build_folder, options.generator == "make"
    target = os.path.join(folder or "", makefile_name(folder) if by_make else BUILD_FILE)
    command = "make -j" if by_make else "ninja"
    command += f" -C {quote_word(folder)}" if folder else f" -f {target}" if by_make else ""
    only = f" (only {', '.join(found.wanted)})" if found.left_out and found.wanted else ""
    done = f"{target} {'written' if changed else 'unchanged'}"
    return f"{done}; next: {command}{only}, then {command} run"


def _fitted(line: str, width: int) -> list[str]:
    """A line broken at blanks where the terminal is narrower; paths stay whole."""
    if not width or len(line) <= width:
        return [line]
    import textwrap  # 2 ms, and only narrow terminals need it

    return textwrap.wrap(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def dialects(designs: Sequence[Design], providers: Providers) -> list[str]:
    """The generation in which designs are lowered whose text does not say it, or is not what tools read."""
    groups: dict[tuple[str, str], list[str]] = {}
    for design in designs:
        groups.setdefault(dialect_of(design, providers), []).append(design.name)
    return [f"dialect {name} for {', '.join(names)}: {why}" for (name, why), names in groups.items() if why]


def _not_by_bindings(designs: Sequence[Design], providers: Providers) -> list[str]:
    """Designs that npuninja prints, while MLIR-AIE's bindings, which would build them whole, print others."""
    if not any(p.stage == "python" and p.provider.vendor for p in providers.chosen):
        return []
    from npuninja.python_designs.script import is_jitted

    names = [d.name for d in designs if d.source.endswith(".py") and is_jitted(d.source)]
    why = "under @iron.jit, which MLIR-AIE's bindings build whole instead of printing"
    return [f"printed by npuninja: {', '.join(names)} ({why})"] if names else []


def _table(rows: Sequence[tuple[str, ...]], colour: bool, width: int) -> list[str]:
    """The rows below each other.

    In a terminal too narrow for that the paths come after the table, and the last column is broken.
    """
    paths = []
    if width and any(len(line) > width for line in _aligned(rows)):
        import textwrap

        paths = list(dict.fromkeys(f"{row[1]}: {row[3]}" for row in rows[1:] if row[3] != "-"))
        rows = [(*row[:3], *row[4:]) for row in rows]
        start = sum(max(len(row[i]) for row in rows) + 2 for i in range(len(rows[0]) - 1))
        broken: list[tuple[str, ...]] = []
        for row in rows:
            first, *rest = textwrap.wrap(row[-1], max(width - start, 16)) or [""]
            broken += [(*row[:-1], first), *((*[""] * (len(row) - 1), more) for more in rest)]
        rows = broken
    lines = _aligned(rows)
    if colour:
        lines[0] = f"\x1b[1m{lines[0]}\x1b[0m"
    return [*lines, *(["", *paths] if paths else [])]


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]]).rstrip()
        for row in rows
    ]


def _unused(providers: Providers, toolchain: Toolchain) -> list[str]:
    """Real tools that are there without being used, and files that looked like one and are not."""
    used = {name for c in providers.chosen if c.provider.vendor for name in c.provider.tools}
    vendors = {name for row in STAGES.values() for p in row.providers if p.vendor for name in p.tools}
    lines = []
    for name in sorted(vendors):
        found, absent = toolchain.found(name), toolchain.absent(name)
        if found and name not in used and name not in ("pyxrt", "aiecc"):
            lines.append(f"found, not used: {name} {found.version} ({found.path})")
        if absent and absent.examined:
            lines.append(f"refused: {name}: {absent.explain()}")
    return lines
