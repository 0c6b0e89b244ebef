"""Looks at this machine: every tool a build can use, in one go, and how many large ones may run at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from npuninja.detect.aiebu import AIEBU_ASM
from npuninja.detect.bootgen import BOOTGEN
from npuninja.detect.cache import ProbeCache
from npuninja.detect.host_compiler import HOST_COMPILER
from npuninja.detect.mlir_aie import AIE_OPT, AIE_TRANSLATE, AIECC
from npuninja.detect.mlir_aie_python import MLIR_AIE_PYTHON
from npuninja.detect.ninja import NINJA
from npuninja.detect.peano import PEANO
from npuninja.detect.probe import Denied, probe
from npuninja.detect.tool import AbsentTool, Detection, FoundTool, Surroundings, Tool, identity
from npuninja.detect.wasm_compilers import CLANG, WASM_LD, ZIG
from npuninja.detect.xrt import PYXRT, XCLBINUTIL
from npuninja.detect.xrt_library import XRT_LIBRARY
from npuninja.records import record

# What an aiecc run or a chess compiler takes at worst: 4 to 5 GB seen (Xilinx/mlir-aie issues 804 and 1476).
HEAVY_TOOL_BYTES = 4 << 30

TOOLS: tuple[Tool, ...] = (
    NINJA,
    ZIG,
    CLANG,
    WASM_LD,
    PEANO,
    AIE_OPT,
    AIE_TRANSLATE,
    AIECC,
    MLIR_AIE_PYTHON,
    BOOTGEN,
    XCLBINUTIL,
    AIEBU_ASM,
    PYXRT,
)

#: Looked for only where a project has host programs.
HOST_TOOLS: tuple[Tool, ...] = (HOST_COMPILER, XRT_LIBRARY)


@record(frozen=True)
class Toolchain:
    """What was found, by name of the tool, and the Python that runs the stages."""

    outcomes: Mapping[str, Detection]
    python: FoundTool

    def found(self, name: str) -> FoundTool | None:
        """The tool, when it is usable; None too when it was not looked for."""
        outcome = self.outcomes.get(name)
        return outcome if isinstance(outcome, FoundTool) else None

    def absent(self, name: str) -> AbsentTool | None:
        """Why the tool is not usable, when it is not."""
        outcome = self.outcomes.get(name)
        return outcome if isinstance(outcome, AbsentTool) else None


def this_python() -> FoundTool:
    """The running interpreter; it needs no proof."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    return FoundTool(
        "python", sys.executable, "the running one", version, identity("python", sys.executable, version)
    )


def surroundings_of(
    environment: Mapping[str, str], pins: Mapping[str, str], unused: Sequence[str] = ()
) -> Surroundings:
    """The real machine, seen through `environment`."""
    folders = [p for p in sys.path if os.path.basename(p) in ("site-packages", "dist-packages")]
    folders += environment_packages(environment)
    packages = tuple(dict.fromkeys(folders))
    return Surroundings(environment, pins, packages, sys.executable, unused=tuple(unused))


def environment_packages(environment: Mapping[str, str]) -> list[str]:
    """The package folders of `$VIRTUAL_ENV`, which need not be those of the Python that runs."""
    root = environment.get("VIRTUAL_ENV")
    if not root:
        return []
    try:
        pythons = sorted(name for name in os.listdir(os.path.join(root, "lib")) if name.startswith("python3"))
    except OSError:
        return []
    return [os.path.join(root, "lib", name, "site-packages") for name in pythons]


def detect(
    surroundings: Surroundings,
    cache: ProbeCache,
    denied: Sequence[Denied] = (),
    tools: Sequence[Tool] = TOOLS,
) -> Toolchain:
    """Proves every one of `tools` and remembers the answers in `cache`."""
    outcomes = probe(tools, surroundings, cache, denied)
    cache.save()
    return Toolchain(outcomes, this_python())


def heavy_jobs(memory_bytes: int | None = None) -> int:
    """The depth of the pool of heavy tools: how many fit `memory_bytes` (None: this machine's); 1 or more."""
    if memory_bytes is None:
        known = hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names
        memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if known else 0
    return max(1, memory_bytes // HEAVY_TOOL_BYTES)
