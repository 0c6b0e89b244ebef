"""`npuninja doctor`: this machine, rung by rung, from Python up to a finished dispatch on the NPU.

Three parts: what building needs; the real tools that can do stages, each on its own; and the ladder to the
hardware, which ends at its first broken rung, since those above follow from it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping

from npuninja.detect.machine import Toolchain
from npuninja.detect.tool import Surroundings
from npuninja.diag import rungs_build, rungs_npu
from npuninja.diag.machine import MachineFacts
from npuninja.diag.rung import Rung

DISPATCH_TIME_LIMIT_S = 60.0
BUILD, TOOLS, NPU = "building", "real tools", "NPU"


def examine(
    surroundings: Surroundings, toolchain: Toolchain, machine: MachineFacts, dispatch: str | None
) -> dict[str, list[Rung]]:
    """The rungs of the three parts."""
    ladder = rungs_npu.npu_ladder(machine)
    if not ladder[-1].broken:
        ladder.append(rungs_build.optional(toolchain, "pyxrt"))
    if not ladder[-1].broken:
        ladder.append(_dispatch(surroundings.python, dispatch))
    return {
        BUILD: rungs_build.needed(surroundings, toolchain),
        TOOLS: rungs_build.real_tools(toolchain),
        NPU: ladder,
    }


def _dispatch(python: str, manifest: str | None) -> Rung:
    """Runs a design in a process of its own: a driver that hangs or crashes must not take doctor with it."""
    if manifest is None:
        fix = "build a design for this NPU's cores and give its manifest with --dispatch"
        return Rung("dispatch", "unknown", "not tried", fix)
    program = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "__main__.py")
    command = [python, program, "run", manifest, "--device", "npu", "--require", "npu", "--verify"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=DISPATCH_TIME_LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Rung(
            "dispatch",
            "absent",
            f"{manifest} did not end within {DISPATCH_TIME_LIMIT_S:g} s",
            "reload amdxdna",
        )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if done.returncode == 0:
        return Rung("dispatch", "ok", f"{manifest} ran and its results are right")
    hint = next((line[len("hint: ") :] for line in lines if line.startswith("hint: ")), "")
    return Rung("dispatch", "absent", lines[0] if lines else f"exit code {done.returncode}", hint)


def npu_ready(ladder: list[Rung]) -> bool:
    """Whether nothing of the ladder is broken."""
    return not any(rung.broken for rung in ladder)


def redacted(rung: Rung, environment: Mapping[str, str]) -> Rung:
    """The rung without home folders: what doctor prints is meant to be passed on."""
    return Rung(
        rung.name,
        rung.verdict,
        _without_homes(rung.found, environment),
        _without_homes(rung.fix, environment),
    )


def _without_homes(words: str, environment: Mapping[str, str]) -> str:
    home = environment.get("HOME", "").rstrip("/")
    if len(home) > 1:
        words = re.sub(re.escape(home) + r"(?=/|\b)", "~", words)
    return re.sub(r"/(home|Users)/[^/\s:;,)]+", r"/\1/…", words)


def text(ladders: Mapping[str, list[Rung]]) -> str:
    """All rungs, and what they come to."""
    width = max(len(rung.name) for rungs in ladders.values() for rung in rungs)
    lines = []
    for part, rungs in ladders.items():
        lines.append(f"{part}:")
        for rung in rungs:
            lines.append(f"  {rung.verdict:7} {rung.name.ljust(width)}  {rung.found}")
            if rung.fix and rung.verdict != "ok":
                lines.append(f"  {'':7} {'':{width}}  -> {rung.fix}")
    failed = [rung.name for rung in ladders[BUILD] if rung.verdict == "fail"]
    broken = next((rung for rung in ladders[NPU] if rung.broken), None)
    lines.append("")
    if failed:
        lines.append(f"Nothing can be built before this is put right: {', '.join(failed)}.")
    else:
        lines.append("Designs can be built here and run on the emulated array.")
    if broken:
        lines.append(f"The way to a real NPU ends at: {broken.name} ({broken.found}).")
    return "\n".join(lines)
