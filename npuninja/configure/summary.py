"""What configure.py says at its end: who does each stage, and why, and what was looked for in vain."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from npuninja.configure.designs import DesignSet
from npuninja.configure.options import Options, makefile_name
from npuninja.detect.machine import Toolchain
from npuninja.emit.escape import quote_word
from npuninja.plan.providers import STAGES, Providers


def use_colour(environment: Mapping[str, str], terminal: bool) -> bool:
    """NO_COLOR wins, then CLICOLOR_FORCE, then whether the output is a terminal."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return terminal and environment.get("TERM") != "dumb"


def summary(
    providers: Providers,
    toolchain: Toolchain,
    found: DesignSet,
    changed: bool,
    colour: bool,
    options: Options,
    notes: Sequence[str] = (),
) -> str:
    """The text: a table of the stages, the real tools that are not used, the designs, and what to do next."""
    rows = [("stage", "provider", "version", "path", "why")]
    rows += [(p.stage, p.name, p.version, p.path or "-", p.reason) for p in providers.chosen]
    for purpose, tool in (("stages", toolchain.python), ("build", toolchain.found("ninja"))):
        rows += [(purpose, tool.tool, tool.version, tool.path, tool.origin)] if tool else []
    lines = _table(rows, colour)
    unused = _unused(providers, toolchain)
    if unused:
        lines += ["", *unused]
    designs = [design for design in found.designs if design.name in found.wanted]
    devices = sorted({design.device for design in designs})
    count = f"{len(designs)} design{'s' if len(designs) != 1 else ''}"
    lines += ["", f"project: {os.getcwd()}"]
    lines += (
        [f"{count} for {', '.join(devices)}: {', '.join(design.name for design in designs)}"]
        if designs
        else []
    )
    if found.left_out:
        lines.append(f"not asked for: {found.left_out} more; each is built by its name all the same")
    if found.faulty:
        names = ", ".join(fault.name for fault in found.faulty)
        lines.append(f"cannot be built: {names}; why is said at the end")
    lines += [f"note: {note}" for note in notes]
    lines += [f"what takes time is run by the service at {options.remote}"] if options.remote else []
    folder, by_make = options.build_folder, options.generator == "make"
    target = os.path.join(folder or "", makefile_name(folder) if by_make else "build.ninja")
    command = "make -j" if by_make else "ninja"
    command += f" -C {quote_word(folder)}" if folder else f" -f {target}" if by_make else ""
    only = f" (only {', '.join(found.wanted)})" if found.left_out else ""
    done = f"{target} {'written' if changed else 'unchanged'}"
    lines.append(f"{done}; next: {command}{only}, then {command} run")
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[tuple[str, ...]], colour: bool) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]]).rstrip()
        for row in rows
    ]
    if colour:
        lines[0] = f"\x1b[1m{lines[0]}\x1b[0m"
    return lines


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
