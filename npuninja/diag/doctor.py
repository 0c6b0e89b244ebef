"""`npuninja doctor`: this machine, rung by rung, from Python up to the NPU.

The lower rungs must hold, or nothing can be built and run at all; the upper ones (the reference tools, XRT, the NPU) are
only needed for hardware, and each says what it would add.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NoReturn

from npuninja.detect.cache import ProbeCache
from npuninja.detect.machine import Toolchain, detect, surroundings_of
from npuninja.detect.tool import Surroundings
from npuninja.diag.errors import ToolError, UserError

OLDEST_PYTHON = (3, 10)


@dataclass(frozen=True)
class Rung:
    """One thing that was looked at.

    Attributes:
        name: what.
        verdict: "ok", "warn" (works, with a remark), "fail" (building needs it) or "absent" (only hardware needs it).
        found: what was seen.
        fix: what to do, or "".
    """

    name: str
    verdict: str
    found: str
    fix: str = ""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(message, hint="npuninja doctor --help lists the options")


def main(arguments: list[str]) -> int:
    """Runs the verb. Exit code 0 when designs can be built and run on the emulated array, else 3."""
    parser = _Parser(prog="npuninja doctor", description="Looks at this machine, rung by rung.")
    parser.add_argument("--json", action="store_true", help="a JSON object instead of text")
    options = parser.parse_args(arguments)
    surroundings = surroundings_of(os.environ, {})
    with tempfile.TemporaryDirectory(prefix="npuninja-") as folder:
        # Nothing remembered counts here: every tool is asked again.
        toolchain = detect(surroundings, ProbeCache(os.path.join(folder, "probe_cache.json")))
    rungs = [*_base(), *_ninjas(surroundings, toolchain), *_tools(toolchain), *_npu(surroundings, toolchain)]
    rungs = [Rung(r.name, r.verdict, _without_home(r.found, os.environ), r.fix) for r in rungs]
    failed = [rung for rung in rungs if rung.verdict == "fail"]
    if options.json:
        print(json.dumps({"format": 1, "usable": not failed, "rungs": [asdict(rung) for rung in rungs]}, indent=1))
    else:
        print(_text(rungs))
    return ToolError.exit_code if failed else 0


def _text(rungs: list[Rung]) -> str:
    width = max(len(rung.name) for rung in rungs)
    lines = []
    for rung in rungs:
        lines.append(f"{rung.verdict:6} {rung.name.ljust(width)}  {rung.found}")
        if rung.fix and rung.verdict != "ok":
            lines.append(f"{'':6} {'':{width}}  -> {rung.fix}")
    failed = [rung.name for rung in rungs if rung.verdict == "fail"]
    hardware = [rung.name for rung in rungs if rung.verdict == "absent"]
    lines.append("")
    if failed:
        lines.append(f"Nothing can be built before this is put right: {', '.join(failed)}.")
    else:
        lines.append("Designs can be built here and run on the emulated array.")
        if hardware:
            lines.append(f"For a real NPU this is not there: {', '.join(hardware)}.")
    return "\n".join(lines)


def _without_home(text: str, environment: Mapping[str, str]) -> str:
    """The text with `~` for the home folder: what doctor prints is meant to be passed on."""
    home = environment.get("HOME", "")
    return text.replace(home + os.sep, "~" + os.sep) if len(home) > 1 else text


def _base() -> list[Rung]:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] >= OLDEST_PYTHON
    rungs = [Rung("python", "ok" if good else "fail", f"{version} ({sys.executable})", "install Python 3.10 or newer")]
    for package, purpose in (("numpy", "references and buffers"), ("wasmtime", "the emulated cores")):
        rungs.append(_package(package, purpose))
    return rungs


def _package(name: str, purpose: str) -> Rung:
    """Imports the package: being installed proves nothing."""
    from importlib.metadata import version

    try:
        __import__(name)
        return Rung(name, "ok", f"{version(name)} ({purpose})")
    except Exception as error:  # a broken package raises whatever it likes
        return Rung(name, "fail", f"cannot be imported: {type(error).__name__}: {error}", f"pip install {name} ({purpose})")


def _ninjas(surroundings: Surroundings, toolchain: Toolchain) -> list[Rung]:
    found = toolchain.found("ninja")
    if found is None:
        absent = toolchain.absent("ninja")
        return [Rung("ninja", "fail", absent.explain() if absent else "not found", "pip install ninja")]
    others = [c.path for c in surroundings.on_path("ninja") if os.path.realpath(c.path) != os.path.realpath(found.path)]
    if others:
        # Each version starts the build log over when it meets one of another version, and then builds everything.
        text = f"{found.version} ({found.path}); also on PATH: {', '.join(others)}"
        return [Rung("ninja", "warn", text, "use one of them only: two versions in one build folder rebuild everything")]
    return [Rung("ninja", "ok", f"{found.version} ({found.path})")]


def _tools(toolchain: Toolchain) -> list[Rung]:
    zig, clang, linker = (toolchain.found(name) for name in ("ziglang", "clang", "wasm-ld"))
    if zig:
        rungs = [Rung("compiler for emulated cores", "ok", f"ziglang {zig.version} ({zig.path})")]
    elif clang and linker:
        rungs = [Rung("compiler for emulated cores", "ok", f"clang {clang.version}, wasm-ld {linker.version}")]
    else:
        absent = toolchain.absent("ziglang")
        rungs = [Rung("compiler for emulated cores", "fail", absent.explain() if absent else "", "pip install ziglang")]
    for name in ("bootgen", "peano", "aie-opt", "aie-translate", "xclbinutil"):
        rungs.append(_optional(toolchain, name))
    return rungs


def _optional(toolchain: Toolchain, name: str) -> Rung:
    found, absent = toolchain.found(name), toolchain.absent(name)
    if found:
        return Rung(name, "ok", f"{found.version} ({found.path})")
    assert absent is not None
    return Rung(name, "absent", absent.explain(), f"to {absent.purpose}: {absent.remedy}")


def _npu(surroundings: Surroundings, toolchain: Toolchain) -> list[Rung]:
    """The ladder to the hardware; it ends at the first rung that does not hold, since the higher ones follow from it."""
    root = surroundings.system_root
    rungs: list[Rung] = []
    if not os.path.isdir(os.path.join(root, "sys/module/amdxdna")):
        fix = "on a machine with an NPU: Linux 6.14 or newer, or the amdxdna-dkms package, then `modprobe amdxdna`"
        return [Rung("npu driver", "absent", "the kernel module amdxdna is not loaded", fix)]
    rungs.append(Rung("npu driver", "ok", "amdxdna is loaded"))
    device = os.path.join(root, "dev/accel/accel0")
    if not os.path.exists(device):
        return [*rungs, Rung("npu device", "absent", f"there is no {device}", "look for amdxdna in `dmesg`")]
    if not os.access(device, os.R_OK | os.W_OK):
        return [*rungs, Rung("npu device", "absent", f"{device} cannot be opened", "add yourself to the group `render`")]
    rungs.append(Rung("npu device", "ok", device))
    rungs.append(_locked_memory())
    rungs.append(_optional(toolchain, "pyxrt"))
    smi = shutil.which("xrt-smi", path=surroundings.environment.get("PATH", ""))
    found = Rung("xrt-smi", "ok", smi) if smi else Rung("xrt-smi", "warn", "not on PATH", "its `examine` names the NPU")
    return [*rungs, found]


def _locked_memory() -> Rung:
    """Too small a limit makes the first buffer fail with EAGAIN, and the NPU looks absent."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft == resource.RLIM_INFINITY:
        return Rung("locked memory", "ok", "unlimited")
    fix = "set `memlock` to unlimited in /etc/security/limits.conf and log in again"
    return Rung("locked memory", "warn", f"limited to {soft} bytes", fix)
