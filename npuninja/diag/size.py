"""What `npuninja size` shows: the account of the tiles' memory in a built design, for people."""

from __future__ import annotations

from typing import Sequence

from npuninja.arch.devices import PROGRAM_MEMORY_BYTES
from npuninja.report.tile_memory import TileMemory

_BAR_CHARACTERS = 20


def table(name: str, tiles: Sequence[TileMemory]) -> str:
    """The account of a design for people."""
    rows = [("tile", "program", "stack", "buffers", "data", "used", "behind", "")]
    for t in tiles:
        if t.program is not None:
            program = f"{t.program} of {PROGRAM_MEMORY_BYTES}"
        elif t.program_estimate is not None:
            program = (
                f"~{t.program_estimate.low_bytes}-{t.program_estimate.high_bytes} of {PROGRAM_MEMORY_BYTES}"
            )
        else:
            program = "-"
        stack = (
            "-" if not t.stack else str(t.stack) if t.stack_need is None else f"{t.stack_need}+ of {t.stack}"
        )
        share = t.used / t.limit
        bar = ("#" * round(share * _BAR_CHARACTERS)).ljust(_BAR_CHARACTERS, ".")
        kind = {"mem": "memtile", "shim": "shim"}.get(t.kind, "core")
        used, behind = f"{t.used} of {t.limit}", str(max(t.limit - t.end, 0))
        cells = (
            f"{kind} {t.tile}{f' @{t.device}' if t.device else ''}",
            program,
            stack,
            str(t.buffers),
            str(t.data),
            used,
            behind,
            f"[{bar}] {share:4.0%}",
        )
        rows.append(cells)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [f"{name}, bytes:"]
    for row in rows:
        figures = [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1])]
        lines.append("  ".join(["", row[0].ljust(widths[0]), *figures, row[-1]]).rstrip())
    lines += [f"  warning: {t.tile}: {problem}" for t in tiles for problem in t.problems()]
    return "\n".join(lines)
